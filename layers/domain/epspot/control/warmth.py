"""How long a motor heater runs before its car leaves."""

_TABLE = ((-20.0, 7200.0), (-15.0, 5400.0), (0.0, 3600.0), (10.0, 1200.0))
"""(degrees Celsius, seconds), the coldest first."""


def heating_s(temperature_c: float) -> float:
    """Tell how long to heat at this outdoor temperature, in seconds: nothing above +10 °C, two hours at most.

    Straight lines between the points of a table. Its source is the advice of Gröna Bilister (gronamobilister.se,
    "Motorvärmare"): at most an hour at 0 °C and an hour and a half at -15 °C, and no heating above +10 °C. Ours are the
    twenty minutes at +10 °C, and the two hours at -20 °C and colder, after which an engine hardly gets warmer.
    """
    colder_c, longer_s = _TABLE[0]
    if temperature_c <= colder_c:
        return longer_s
    for warmer_c, shorter_s in _TABLE[1:]:
        if temperature_c <= warmer_c:
            return longer_s + (shorter_s - longer_s) * (temperature_c - colder_c) / (warmer_c - colder_c)
        colder_c, longer_s = warmer_c, shorter_s
    return 0.0
