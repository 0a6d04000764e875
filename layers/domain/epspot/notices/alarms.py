"""The catalogue of alarms: how grave each is, who is told and when, and what to do about it.

One table. A code that a site has once stored stays in it, or its alarm is cleared without being understood.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DAY_S = 86_400.0


class Severity(StrEnum):
    """How grave it is."""

    INFO = "info"
    WARNING = "warning"
    """Something works less well than it should."""
    SERIOUS = "serious"
    """Outlets are out of use."""
    DANGER = "danger"
    """Somebody may be hurt, or something burn."""


class Audience(StrEnum):
    """Who is told."""

    OWNER = "owner"
    MAINTENANCE = "maintenance"
    USER = "user"
    """Whoever uses the outlet now."""


class Certainty(StrEnum):
    """How sure it is that the cause is the one that is named."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Subject(StrEnum):
    """What an alarm is about."""

    OUTLET = "outlet"
    FUSE = "fuse"
    BRIDGE = "bridge"
    MODULE = "module"
    """``<bridge>/<module>``, which stands in no configuration."""
    SITE = "site"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads; ``{name}`` stands for what an alarm's detail tells, ``{about}`` for its subject."""

    title: str
    what: str
    """What it is. Without a further word it is certain."""
    advice: str
    """What to do first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is known of a code."""

    code: str
    subject: Subject
    severity: Severity
    audience: frozenset[Audience]
    raise_after_s: float
    """It is told when it has been there for this long."""
    clear_after_s: float
    """It is told to be over when it has been gone for this long."""
    sv: Text
    en: Text
    momentary: bool = False
    """It happens rather than lasts: told at once, over when it has not happened again for ``clear_after_s``."""


_STAFF = frozenset({Audience.OWNER, Audience.MAINTENANCE})
_USER = frozenset({Audience.USER})
_OWNER = frozenset({Audience.OWNER})
_EVERYBODY = _STAFF | _USER

_ENTRIES = (
    # ---------------------------------------------------------------- danger
    Entry(
        "relay_welded",
        Subject.OUTLET,
        Severity.DANGER,
        _STAFF,
        raise_after_s=0,
        clear_after_s=600,
        sv=Text(
            "Uttag {about}: reläet har svetsat fast",
            "Modulen meddelar att reläkontakten inte öppnar. Uttaget är spänningssatt fast det är avstängt.",
            "Slå från uttagets personskyddsautomat nu, skylta att uttaget är ur bruk och byt modulen. "
            "Det går inte att stänga av uttaget på distans.",
        ),
        en=Text(
            "Outlet {about}: the relay is welded",
            "The module reports that its relay contact does not open. The outlet is live although it is switched off.",
            "Switch off the outlet's RCBO now, put up a sign that it is out of use, and replace the module. "
            "The outlet can't be switched off remotely.",
        ),
    ),
    Entry(
        "current_while_off",
        Subject.OUTLET,
        Severity.DANGER,
        _STAFF,
        raise_after_s=15,  # a gentle opening takes 6 s
        clear_after_s=600,
        sv=Text(
            "Uttag {about}: ström fast uttaget är avstängt",
            "Det flyter {current_a} A fast uttaget är avstängt. Reläkontakten öppnar inte, eller så mäter modulen fel.",
            "Slå från uttagets personskyddsautomat nu och skylta att uttaget är ur bruk. "
            "Mät på plats om uttaget är spänningslöst när det är avstängt; är det inte det, byt modulen.",
        ),
        en=Text(
            "Outlet {about}: current although it is switched off",
            "A current of {current_a} A flows although the outlet is switched off. "
            "The relay contact does not open, or the module measures wrongly.",
            "Switch off the outlet's RCBO now and put up a sign that it is out of use. "
            "Measure on the spot whether the outlet is dead when it is off; if it is not, replace the module.",
        ),
    ),
    Entry(
        "over_temperature",
        Subject.OUTLET,
        Severity.DANGER,
        _STAFF,
        raise_after_s=0,
        clear_after_s=900,
        sv=Text(
            "Uttag {about}: för varmt",
            "Modulen är för varm ({temperature_c} °C) och uttaget är avstängt. "
            "En lös klämma eller ett slitet kontaktdon är vanligaste orsaken.",
            "Känn inte på kontaktdonet. Slå från personskyddsautomaten, låt svalna, dra åt klämmorna spänningslöst "
            "och byt uttaget om det är missfärgat.",
        ),
        en=Text(
            "Outlet {about}: too hot",
            "The module is too hot ({temperature_c} °C) and the outlet is switched off. "
            "A loose terminal or a worn socket is the usual cause.",
            "Do not touch the socket. Switch off the RCBO, let it cool, tighten the terminals while they are dead "
            "and replace the socket if it is discoloured.",
        ),
    ),
    Entry(
        "residual_current",
        Subject.OUTLET,
        Severity.DANGER,
        _STAFF,
        raise_after_s=0,
        clear_after_s=900,
        sv=Text(
            "Uttag {about}: jordfelsström",
            "Modulen har mätt en felström till jord och stängt av uttaget. "
            "Felet sitter i det som är anslutet, i kabeln eller i uttaget.",
            "Dra ur kabeln. Försvinner felet sitter det i fordonet eller kabeln; "
            "annars mät isolationen i uttaget innan det används igen.",
        ),
        en=Text(
            "Outlet {about}: residual current",
            "The module has measured a fault current to earth and switched the outlet off. "
            "The fault is in what is plugged in, in the cable or in the outlet.",
            "Pull out the cable. If the fault goes, it is in the vehicle or the cable; "
            "otherwise test the outlet's insulation before it is used again.",
        ),
    ),
    # ---------------------------------------------------------------- an outlet
    Entry(
        "module_fault",
        Subject.OUTLET,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=0,
        clear_after_s=900,
        sv=Text(
            "Uttag {about}: modulen är trasig",
            "Modulen meddelar ett inre fel och uttaget är avstängt.",
            "Slå personskyddsautomaten från och till en gång. Kommer felet tillbaka, byt modulen.",
        ),
        en=Text(
            "Outlet {about}: the module is broken",
            "The module reports an internal fault and the outlet is switched off.",
            "Switch the RCBO off and on once. If the fault comes back, replace the module.",
        ),
    ),
    Entry(
        "cable_unlocked",
        Subject.OUTLET,
        Severity.WARNING,
        _EVERYBODY,
        raise_after_s=30,
        clear_after_s=120,
        sv=Text(
            "Uttag {about}: kabeln är inte låst",
            "Uttaget ger ström, men kabeln har inte låst sig och kan dras ur under last.",
            "Tryck in kontakten helt. Låser den ändå inte, stoppa sessionen och använd ett annat uttag; "
            "låset behöver ses över.",
        ),
        en=Text(
            "Outlet {about}: the cable is not locked",
            "The outlet gives current, but the cable has not locked and can be pulled out under load.",
            "Push the plug all the way in. If it still does not lock, stop the session and use another outlet; "
            "the lock needs to be looked at.",
        ),
    ),
    Entry(
        "voltage",
        Subject.OUTLET,
        Severity.WARNING,
        _STAFF,
        raise_after_s=300,
        clear_after_s=900,
        sv=Text(
            "Uttag {about}: fel spänning",
            "Spänningen är ostadig eller utanför 207 till 253 V. Senast mättes {voltage_v} V på {phase}.",
            "Är den nära 0 V, kontrollera ledarens klämmor och personskyddsautomaten. "
            "Är flera uttag låga under last, kontrollera matningens klämmor och nolledaren först; "
            "är den hög överallt, ring elnätsföretaget.",
        ),
        en=Text(
            "Outlet {about}: wrong voltage",
            "The voltage is unsteady or outside 207 to 253 V. Last measured: {voltage_v} V on {phase}.",
            "If it is near 0 V, check the conductor's terminals and the RCBO. "
            "If several outlets are low under load, check the feeder's terminals and the neutral first; "
            "if it is high everywhere, call the grid company.",
        ),
    ),
    Entry(
        "register_fault",
        Subject.OUTLET,
        Severity.WARNING,
        _STAFF,
        raise_after_s=300,
        clear_after_s=3600,
        sv=Text(
            "Uttag {about}: mätaren kan inte läsas",
            "Modulens energiräkneverk visar inget rimligt värde. Energi som inte säkert har mätts debiteras inte.",
            "Slå personskyddsautomaten från och till en gång. Kommer felet tillbaka, byt modulen.",
        ),
        en=Text(
            "Outlet {about}: the meter can't be read",
            "The module's energy register shows no sensible value. Energy that is not surely measured is not billed.",
            "Switch the RCBO off and on once. If the fault comes back, replace the module.",
        ),
    ),
    Entry(
        "register_put_aside",
        Subject.OUTLET,
        Severity.INFO,
        _STAFF,
        raise_after_s=0,
        clear_after_s=DAY_S,
        momentary=True,
        sv=Text(
            "Uttag {about}: energi har lagts åt sidan",
            "Räkneverket har backat, hoppat eller blivit oläst. Det som var säkert är debiterat, resten inte.",
            "Har modulen just bytts behöver inget göras. Annars jämför räkneverket med en annan mätare, "
            "och byt modulen om det händer igen.",
        ),
        en=Text(
            "Outlet {about}: energy has been put aside",
            "The register has run backwards, leapt or was not read. What was certain is billed, the rest is not.",
            "If the module has just been replaced, nothing needs to be done. Otherwise compare the register "
            "with another meter, and replace the module if it happens again.",
        ),
    ),
    Entry(
        "vehicle_not_asking",
        Subject.OUTLET,
        Severity.INFO,
        _USER,
        raise_after_s=0,  # it is found only after ten minutes
        clear_after_s=60,
        sv=Text(
            "Uttag {about}: ingen ström tas ut",
            "Uttaget har gett ström i tio minuter, men det som är anslutet tar ingen.",
            "Se efter om fordonet väntar på en laddtid som är inställd i det, och om kabeln sitter i båda ändar. "
            "Lås upp och lås fordonet, eller dra ur kabeln och sätt i den igen.",
        ),
        en=Text(
            "Outlet {about}: no current is drawn",
            "The outlet has offered current for ten minutes, but what is plugged in draws none.",
            "See whether the vehicle waits for a charging time that is set in it, and whether the cable sits "
            "at both ends. Unlock and lock the vehicle, or pull out the cable and plug it in again.",
        ),
    ),
    Entry(
        "limit_breach",
        Subject.OUTLET,
        Severity.WARNING,
        _OWNER | _USER,
        raise_after_s=0,
        clear_after_s=3600,
        momentary=True,
        sv=Text(
            "Uttag {about}: fordonet tog mer än det fick",
            "Fordonet följde inte gränsen för strömmen, och uttaget stängdes av för att skydda säkringen.",
            "Ställ in en lägre laddström i fordonet och starta igen. "
            "Händer det med flera fordon, låt kontrollera modulens styrsignal.",
        ),
        en=Text(
            "Outlet {about}: the vehicle drew more than it was given",
            "The vehicle did not keep to the limit of current, and the outlet was switched off to protect the fuse.",
            "Set a lower charging current in the vehicle and start again. "
            "If it happens with several vehicles, have the module's control signal checked.",
        ),
    ),
    Entry(
        "guard_tripped",
        Subject.OUTLET,
        Severity.INFO,
        _USER,
        raise_after_s=0,
        clear_after_s=3600,
        momentary=True,
        sv=Text(
            "Uttag {about}: effektvakten stängde av uttaget",
            "Det som är anslutet tog mer ström än uttaget är gjort för.",
            "Minska lasten, till exempel kupévärmaren eller laddströmmen, vänta några minuter och starta igen.",
        ),
        en=Text(
            "Outlet {about}: the power guard switched it off",
            "What is plugged in drew more current than the outlet is made for.",
            "Reduce the load, such as the cabin heater or the charging current, wait a few minutes and start again.",
        ),
    ),
    Entry(
        "guard_repeats",
        Subject.OUTLET,
        Severity.WARNING,
        _STAFF,
        raise_after_s=0,
        clear_after_s=3600,
        sv=Text(
            "Uttag {about}: effektvakten löser gång på gång",
            "Effektvakten har stängt av uttaget {trips} gånger på ett dygn.",
            "Fråga användaren vad som är anslutet. Är lasten rimlig, kontrollera att uttagets högsta ström "
            "är rätt inställd.",
        ),
        en=Text(
            "Outlet {about}: the power guard trips again and again",
            "The power guard has switched the outlet off {trips} times within a day.",
            "Ask the user what is plugged in. If the load is reasonable, check that the outlet's maximum current "
            "is set right.",
        ),
    ),
    Entry(
        "shed",
        Subject.OUTLET,
        Severity.SERIOUS,
        _EVERYBODY,
        raise_after_s=0,
        clear_after_s=3600,
        momentary=True,
        sv=Text(
            "Uttag {about}: avstängt för att skydda en säkring",
            "En säkring var överlastad, och bryggan stängde av uttaget på egen hand.",
            "Användare: starta igen om en stund, eller välj ett annat uttag. "
            "Ägare: se vilken annan last som steg, och höj anläggningens värde för övrig last om det händer igen.",
        ),
        en=Text(
            "Outlet {about}: switched off to protect a fuse",
            "A fuse was overloaded, and the bridge switched the outlet off by itself.",
            "User: start again in a while, or choose another outlet. "
            "Owner: see which other load rose, and raise the site's figure for other load if it happens again.",
        ),
    ),
    # ---------------------------------------------------------------- silence
    Entry(
        "rcbo_tripped",
        Subject.OUTLET,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=120,
        clear_after_s=60,
        sv=Text(
            "Uttag {about}: personskyddsautomaten har löst",
            "Modulen tystnade när den gav ström, och dess grannar svarar. Personskyddsautomaten har löst under last.",
            "Dra ur kabeln och slå till automaten. Löser den utan kabel sitter felet i uttaget; "
            "löser den först med kabel sitter det i fordonet eller kabeln.",
        ),
        en=Text(
            "Outlet {about}: the RCBO has tripped",
            "The module fell silent while it gave current, and its neighbours answer. The RCBO has tripped under load.",
            "Pull out the cable and switch the RCBO on. If it trips without cable, the fault is in the outlet; "
            "if it trips only with it, the fault is in the vehicle or the cable.",
        ),
    ),
    Entry(
        "rcbo_or_module",
        Subject.OUTLET,
        Severity.WARNING,
        _STAFF,
        raise_after_s=300,
        clear_after_s=60,
        sv=Text(
            "Uttag {about}: modulen svarar inte",
            "Modulen är tyst. Personskyddsautomaten har löst eller är frånslagen, annars är modulen trasig.",
            "Se efter om personskyddsautomaten är till. Är den det och modulen är mörk, byt modulen.",
        ),
        en=Text(
            "Outlet {about}: the module does not answer",
            "The module is silent. The RCBO has tripped or is switched off, or else the module is broken.",
            "See whether the RCBO is on. If it is and the module is dark, replace the module.",
        ),
    ),
    Entry(
        "link_poor",
        Subject.OUTLET,
        Severity.WARNING,
        frozenset({Audience.MAINTENANCE}),
        raise_after_s=600,
        clear_after_s=900,
        sv=Text(
            "Uttag {about}: dålig förbindelse över elnätet",
            "Modulen är tyst, och dess förbindelse var svag ({link_pct} %) när den senast hördes.",
            "Se efter om något som stör har anslutits nära, till exempel en omriktare eller ett nätaggregat. "
            "Är kabeln över 100 m, sätt en brygga närmare. Kontrollera även personskyddsautomaten.",
        ),
        en=Text(
            "Outlet {about}: poor link over the power line",
            "The module is silent, and its link was weak ({link_pct} %) when it was last heard.",
            "See whether something that disturbs has been connected nearby, such as an inverter or a power supply. "
            "If the cable is longer than 100 m, put a bridge nearer. Check the RCBO too.",
        ),
    ),
    Entry(
        "fuse_out",
        Subject.FUSE,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=120,
        clear_after_s=60,
        sv=Text(
            "Säkring {about}: har löst",
            "{modules} moduler på säkringen tystnade samtidigt och ingen där svarar, medan andra gör det. "
            "Säkringen har löst eller är frånslagen.",
            "Mät spänningen efter säkringen. Har den löst, sök orsaken till överlast eller kortslutning "
            "innan den slås till.",
        ),
        en=Text(
            "Fuse {about}: has blown",
            "{modules} modules on the fuse fell silent together and none there answers, while others do. "
            "The fuse has blown or is switched off.",
            "Measure the voltage after the fuse. If it has blown, find the cause of the overload or short circuit "
            "before it is switched on.",
        ),
    ),
    Entry(
        "phase_lost",
        Subject.FUSE,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=120,
        clear_after_s=120,
        sv=Text(
            "Säkring {about}: fas {phases} saknas",
            "Det som matas av {phases} under säkringen har ingen spänning, medan andra faser har det.",
            "Mät {phases} före och efter säkringen. Saknas den även före huvudsäkringen, ring elnätsföretaget. "
            "Använd inte trefasuttag innan felet är avhjälpt.",
        ),
        en=Text(
            "Fuse {about}: phase {phases} is missing",
            "What {phases} feeds below the fuse has no voltage, while other phases have.",
            "Measure {phases} before and after the fuse. If it is missing before the main fuse too, call the grid "
            "company. Do not use three-phase outlets until the fault is mended.",
        ),
    ),
    Entry(
        "modules_silent",
        Subject.BRIDGE,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=300,
        clear_after_s=120,
        sv=Text(
            "Brygga {about}: ingen modul svarar",
            "Bryggan hörs, men ingen av dess {modules} moduler svarar. "
            "Matningen till uttagen är bruten, eller så har bryggan förlorat elnätet som förbindelse.",
            "Se efter om säkringen som matar uttagen är till. Är den det, starta om bryggan "
            "och kontrollera dess anslutning till elcentralen.",
        ),
        en=Text(
            "Bridge {about}: no module answers",
            "The bridge is heard, but none of its {modules} modules answers. "
            "The outlets' feeder is cut, or the bridge has lost its link to the power line.",
            "See whether the fuse that feeds the outlets is on. If it is, restart the bridge "
            "and check its connection to the distribution board.",
        ),
    ),
    Entry(
        "bridge_silent",
        Subject.BRIDGE,
        Severity.SERIOUS,
        _STAFF,
        raise_after_s=180,
        clear_after_s=120,
        sv=Text(
            "Brygga {about}: hörs inte",
            "Bryggan hörs inte. Den saknar internet eller ström, eller så har den stannat. "
            "Uttagen faller till sitt säkra läge.",
            "Se efter om bryggan och routern lyser. Är routern mörk, kontrollera strömmen; "
            "lyser båda, kontrollera internet och starta om bryggan.",
        ),
        en=Text(
            "Bridge {about}: is not heard",
            "The bridge is not heard. It lacks internet or power, or it has stopped. "
            "The outlets fall to their safe state.",
            "See whether the bridge and the router are lit. If the router is dark, check the power; "
            "if both are lit, check the internet and restart the bridge.",
        ),
    ),
    # ---------------------------------------------------------------- configuration
    Entry(
        "bridge_never_heard",
        Subject.BRIDGE,
        Severity.WARNING,
        _STAFF,
        raise_after_s=DAY_S,
        clear_after_s=0,
        sv=Text(
            "Brygga {about}: har aldrig hörts",
            "Bryggan står i anläggningens uppgifter, men har aldrig hört av sig.",
            "Är den inte monterad än behöver inget göras. Annars jämför id:t på bryggan med uppgifterna, "
            "och se efter om den har internet.",
        ),
        en=Text(
            "Bridge {about}: has never been heard",
            "The bridge stands in the site's configuration, but has never been in touch.",
            "If it is not installed yet, nothing needs to be done. Otherwise compare the id on the bridge with the "
            "configuration, and see whether it has internet.",
        ),
    ),
    Entry(
        "modules_never_heard",
        Subject.BRIDGE,
        Severity.WARNING,
        _STAFF,
        raise_after_s=3600,
        clear_after_s=0,
        sv=Text(
            "Brygga {about}: ingen modul har någonsin svarat",
            "Bryggan hörs, men ingen av dess {modules} moduler har svarat sedan anläggningen registrerades.",
            "Se efter om uttagens säkringar är till, och om modulerna hör till just den bryggan.",
        ),
        en=Text(
            "Bridge {about}: no module has ever answered",
            "The bridge is heard, but none of its {modules} modules has answered since the site was registered.",
            "See whether the outlets' fuses are on, and whether the modules belong to this very bridge.",
        ),
    ),
    Entry(
        "outlet_never_heard",
        Subject.OUTLET,
        Severity.WARNING,
        _STAFF,
        raise_after_s=3600,
        clear_after_s=0,
        sv=Text(
            "Uttag {about}: modulen har aldrig svarat",
            "Modulen {module} har inte svarat sedan anläggningen registrerades, fast andra på samma brygga gör det. "
            "Uppgifterna om uttaget är fel, eller så är modulen inte inkopplad.",
            "Jämför numret på modulen med uppgifterna, och se efter om personskyddsautomaten är till.",
        ),
        en=Text(
            "Outlet {about}: its module has never answered",
            "The module {module} has not answered since the site was registered, though others of its bridge do. "
            "The outlet's configuration is wrong, or the module is not connected.",
            "Compare the number on the module with the configuration, and see whether the RCBO is on.",
        ),
    ),
    Entry(
        "module_unknown",
        Subject.MODULE,
        Severity.INFO,
        _STAFF,
        raise_after_s=600,
        clear_after_s=0,
        sv=Text(
            "Modul {about}: hör inte till något uttag",
            "Modulen svarar, men står inte i anläggningens uppgifter. Uttaget som den sitter i kan inte användas.",
            "Lägg in modulen på rätt uttag. Har en modul bytts, ersätt den gamlas nummer.",
        ),
        en=Text(
            "Module {about}: belongs to no outlet",
            "The module answers, but stands in no configuration. The outlet that it sits in can't be used.",
            "Enter the module at the right outlet. If a module has been replaced, replace the old one's number.",
        ),
    ),
    # ---------------------------------------------------------------- the site
    Entry(
        "meter_silent",
        Subject.SITE,
        Severity.WARNING,
        _STAFF,
        raise_after_s=180,
        clear_after_s=300,
        sv=Text(
            "{about}: huvudmätaren är tyst",
            "Huvudmätarens strömmar kommer inte fram. Anläggningen har gått över till sin säkra plan: "
            "den räknar med den största övriga last som är angiven.",
            "Kontrollera kabeln mellan mätarens kundport och bryggan. Se även efter om porten är öppnad "
            "av elnätsföretaget.",
        ),
        en=Text(
            "{about}: the main meter is silent",
            "The main meter's currents do not arrive. The site has fallen back to its safe plan: "
            "it counts on the largest other load that is configured.",
            "Check the cable between the meter's customer port and the bridge. See also whether the grid company "
            "has opened the port.",
        ),
    ),
    Entry(
        "cap_unmet",
        Subject.CAP,
        Severity.WARNING,
        _OWNER,
        raise_after_s=300,
        clear_after_s=900,
        sv=Text(
            "Gränsen {about}: hålls inte",
            "Förbrukningen är över den gräns som ägaren har valt, fast uttagen har fått så lite ström som går.",
            "Se vilken annan last som är på, eller höj gränsen. Säkringarna är skyddade ändå.",
        ),
        en=Text(
            "Cap {about}: is not met",
            "Consumption is above the limit that the owner has chosen, though the outlets have as little current "
            "as can be.",
            "See which other load is on, or raise the limit. The fuses are protected all the same.",
        ),
    ),
)

CATALOGUE: Mapping[str, Entry] = {e.code: e for e in _ENTRIES}

_HOW_SURE = {
    "sv": {
        Certainty.CERTAIN: "",
        Certainty.PROBABLE: "Orsaken är trolig, men inte säker.",
        Certainty.POSSIBLE: "Orsaken är möjlig, men det kan också vara något annat.",
    },
    "en": {
        Certainty.CERTAIN: "",
        Certainty.PROBABLE: "The cause is probable, but not certain.",
        Certainty.POSSIBLE: "The cause is possible, but it may be something else.",
    },
}
LANGUAGES = tuple(_HOW_SURE)


def render(code: str, about_label: str, detail: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Write an alarm's title and text; ``about_label`` is what people call its subject, such as an outlet's number.

    A language that is not known is answered in English. Raises KeyError for a code that is not in the catalogue.
    """
    entry = CATALOGUE[code]
    spoken = language if language in LANGUAGES else "en"
    text = entry.sv if spoken == "sv" else entry.en
    words = _Words({name: _word(value, spoken) for name, value in detail.items()} | {"about": about_label})
    sure = _HOW_SURE[spoken][Certainty(detail.get("certainty", Certainty.CERTAIN))]
    parts = (text.what.format_map(words), sure, text.advice.format_map(words))
    return text.title.format_map(words), " ".join(p for p in parts if p)


class _Words(dict[str, str]):
    """What placeholders stand for; an alarm must be told even if its detail lacks a word."""

    def __missing__(self, name: str) -> str:
        return "?"


def _word(value: Any, language: str) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_word(v, language) for v in value)
    if isinstance(value, float):
        said = f"{value:.1f}".removesuffix(".0")
        return said.replace(".", ",") if language == "sv" else said
    return str(value)
