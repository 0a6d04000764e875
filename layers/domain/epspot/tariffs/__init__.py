"""What a session costs: tariffs with windows of the local week and year, and the one calculator that prices by them."""

from epspot.tariffs.calculator import Line, Now, Price, Spot, price, price_now
from epspot.tariffs.checking import problems_of
from epspot.tariffs.document import document_of, tariff_in
from epspot.tariffs.model import FEES, Market, Rate, Stretch, Tariff

__all__ = [
    "FEES",
    "Line",
    "Market",
    "Now",
    "Price",
    "Rate",
    "Spot",
    "Stretch",
    "Tariff",
    "document_of",
    "price",
    "price_now",
    "problems_of",
    "tariff_in",
]
