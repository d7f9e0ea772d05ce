"""What tills wish to send on a random day, before it is spelled with real ids and amounts that mean something."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.properties.arithmetic import half_up

# So few numbers that they collide: resends, conflicts, followers that come first.
SALE_NUMBERS = [f"FAC-{at}" for at in range(1, 25)]
FOLLOWER_NUMBERS = [f"SUITE-{at}" for at in range(1, 41)]
QUANTITIES = ["1", "2", "3", "1.5", "0.5", "0.125", "0.333", "2.0005", "7", "40"]
PRICES = ["1000", "0.01", "33.33", "12.345", "0.1", "250.5"]
AMOUNTS = ["1", "0.01", "100", "12.345", "0"]
# Days before the till's batch arrives: today, yesterday, last month or the one before, and one that is not plausible.
DAYS_BEFORE = [0, 1, 35, 60]
# Modes as tills write them: small letters are the same mode, accents are not.
MODES = ["CASH", "cash", " Cash ", "MOBILE_MONEY", "CARTE", "Chèque", "Cheque", "CREDIT", "credit"]
# Keys, byte for byte: a code, or the name of one who has no code.
CASHIERS = [{"code": "C2"}, {"code": "c2"}, {"code": "C2", "nom": "Zoé"}, {"nom": "Zoé"}, {"nom": "Zoe", "code": " "}]
# What a unit of the other currency is worth.
RATES = {"CDF": ["2850", "2800.5"], "USD": ["0.00035", "0.0003508772"]}

any_index = st.integers(min_value=0, max_value=250)


class Absent:
    """A field that is not sent."""


ABSENT = Absent()


def one_of_all(**choices: Sequence[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return one of all the combinations. One number is drawn: a day has only so many draws, and is to be long."""

    def combination(at: int) -> dict[str, Any]:
        chosen = {}
        for name, values in choices.items():
            at, which = divmod(at, len(values))
            chosen[name] = values[which]
        return {name: value for name, value in chosen.items() if value is not ABSENT}

    return st.integers(min_value=0, max_value=prod(map(len, choices.values())) - 1).map(combination)


def numbers_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


# Mostly a till names its own shop's units rightly.
NAMED_BY = ["unit"] * 14 + ["article"] * 10 + ["both"] * 3 + ["mixed", "stranger", "nobody"]
sent_lines = st.lists(
    st.tuples(
        any_index,
        one_of_all(by=NAMED_BY, quantite=QUANTITIES, prix_unitaire=PRICES, remise=[ABSENT] * 2 + ["0", "0.5"]),
    ).map(lambda drawn: {"at": drawn[0], **drawn[1]}),
    min_size=1,
    max_size=3,
)
# How a row names its currency: not at all, the sale's own, the other of the two, with or without a rate, or wrongly.
NAMED_AS = ["silent"] * 16 + ["own"] * 4 + ["other"] * 18 + ["small", "small", "unrated", "unrated", "wrong", "unknown"]
# An amount, or a part of what the document is about: what was sold, is owed, or stands.
PARTS = {"all": Fraction(1), "half": Fraction(1, 2), "third": Fraction(1, 3), "more": Fraction(6, 5)}
PARTS_WISHED = ["all", "all", "half", "half", "third", "more", *AMOUNTS]
a_row = one_of_all(montant=PARTS_WISHED, named_as=NAMED_AS, rate=[0, 0, 1], mode=[ABSENT] * 4 + MODES)
# On a document of the shop's pages: whose drawer its money moves in. On a till's it means nothing.
DRAWERS = [
    {},
    {"which": "origin"},
    {"which": "origin"},
    {"which": "stranger"},
    *({"which": "till", "at": at, "caissier": cashier} for at in range(3) for cashier in ("", "C2", "c2")),
]
# What any document may say of money and of who handed it over.
OF_MONEY = {
    "mode_paiement": [ABSENT] * 5 + MODES,
    "caissier": [ABSENT] * 3 + CASHIERS,
    "tiroir": [ABSENT] * 3 + DRAWERS,
}


def rows(*, at_least: int = 0, at_most: int = 3) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(a_row, min_size=at_least, max_size=at_most)


sales = st.tuples(
    st.fixed_dictionaries(
        {"numero_facture": numbers_of(*SALE_NUMBERS), "lignes": sent_lines},
        optional={
            "days_before": st.sampled_from(DAYS_BEFORE),
            "devise": numbers_of(*["CDF", "USD"] * 10, "EUR"),
            "remise": numbers_of("0.05", "0.005"),
            "paiements": rows(),
        },
    ),
    one_of_all(**OF_MONEY, paye=[ABSENT, ABSENT, True, False, False]),
    # Change is rarer.
    st.sampled_from([0, 0, 0, 1, 2]).flatmap(lambda count: rows(at_least=count, at_most=count)),
).map(lambda drawn: drawn[0] | drawn[1] | ({"rendu": drawn[2]} if drawn[2] else {}))
# Often the same line several times, each within the limit and together beyond it.
returned_lines = st.lists(
    st.fixed_dictionaries(
        {"ligne": st.sampled_from([1, 1, 1, 1, 2, 3]), "quantite": numbers_of("0.125", "0.125", "0.333", "0.5", "1")}
    ),
    min_size=1,
    max_size=3,
)


def following(origins: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A document that follows one of `origins`."""

    def follower(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        what = st.fixed_dictionaries(
            {"type": st.just(kind), "numero_facture": numbers_of(*FOLLOWER_NUMBERS), "origine": origins, **fields},
            optional={"days_before": st.sampled_from(DAYS_BEFORE), "paiements": rows(at_most=2)},
        )
        return st.tuples(what, one_of_all(**OF_MONEY)).map(lambda drawn: drawn[0] | drawn[1])

    change = st.sampled_from([0, 0, 0, 1]).flatmap(lambda count: rows(at_least=count, at_most=count))
    kinds = {
        "annulation": follower("annulation"),
        "retour": follower("retour", lignes=returned_lines),
        "paiement": follower("paiement", said=rows(at_least=1, at_most=1), rendu=change),
    }
    # Nothing can follow a sale after its annulation, so these are fewer.
    return st.sampled_from(["retour"] * 4 + ["paiement"] * 4 + ["annulation"]).flatmap(kinds.get)


# Of what was just sold, for most: an annulation after a retour of the same sale is what may go wrong.
recent_origin = st.fixed_dictionaries(
    {
        "sale": st.one_of(st.sampled_from([0, 1, 2, 3]), any_index),
        "is_tills": st.sampled_from([True, True, False]),
        # Most sales that are followed can be: they stand, and for a payment something is owed.
        "is_open": st.sampled_from([True] * 7 + [False]),
    }
)
# "It is a correction": the desk voids a sale where it was made, with whatever followed it.
corrections = st.fixed_dictionaries(
    {
        "type": st.just("annulation"),
        "numero_facture": numbers_of(*FOLLOWER_NUMBERS),
        "origine": recent_origin,
        "tiroir": st.just({"which": "origin"}),
    }
)
# By a number that may come later, or be no sale's; or by what stands in the register.
any_origin = st.one_of(
    st.fixed_dictionaries({"numero_facture": numbers_of(*SALE_NUMBERS, *SALE_NUMBERS, *FOLLOWER_NUMBERS)}),
    st.fixed_dictionaries({"document": any_index}),
)
whatever = st.sampled_from(["sale"] * 7 + ["follower"] * 6 + ["gift"])
anything = whatever.flatmap(
    {
        "sale": sales,
        "follower": following(any_origin),
        "gift": sales.map(lambda sale: sale | {"type": "cadeau"}),
    }.get
)


def spell_rows(wished: list[dict[str, Any]], *, about: Decimal, currency: str) -> list[dict[str, Any]]:
    """Return rows as a till would write them, for a document worth `about` in this currency."""
    return [_spell_row(row, about=about, currency=currency) for row in wished]


def _spell_row(wish: dict[str, Any], *, about: Decimal, currency: str) -> dict[str, Any]:
    other = "USD" if currency == "CDF" else "CDF"
    rate = RATES[currency][wish["rate"]]
    named: dict[str, dict[str, Any]] = {
        "silent": {},
        "own": {"devise": currency, "taux": "1.0"} if wish["rate"] else {"devise": currency},
        "other": {"devise": other, "taux": rate},
        "small": {"devise": other.lower(), "taux": rate},
        "unrated": {"devise": other},
        "wrong": {"taux": rate},
        "unknown": {"devise": "EUR", "taux": rate},
    }
    row = {"mode": wish["mode"]} if "mode" in wish else {}
    amount = wish["montant"]
    if amount in PARTS:
        worth = (
            Fraction(about)
            * PARTS[amount]
            / (Fraction(rate) if wish["named_as"] in ("other", "small", "unrated") else 1)
        )
        amount = str(half_up(worth) or 1)
    return row | {"montant": amount} | named[wish["named_as"]]
