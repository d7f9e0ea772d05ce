"""Checks of the till's own counter: numbers that it skipped, and numbers that it used twice."""

from collections import defaultdict
from collections.abc import Iterator

from backend.doctor.bodies import COST, choose_batches, read_batches
from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import listed, name_till
from backend.sales.models import Lane
from backend.sales.wire.split import peek


@check(title="Le compteur de chaque caisse n'a pas de trou")
def till_counters_have_no_hole(scope: Scope) -> Iterator[Finding]:
    lanes = Lane.objects.filter(**scope.narrow(shop="terminal__shop_id")).order_by("pk")
    for terminal_id, holes, seen in lanes.values_list("pk", "sequence_holes", "sequence_seen"):
        if holes:
            missing = [str(first) if first == last else f"{first} à {last}" for first, last in holes]
            yield Finding(
                f"{name_till(terminal_id)} : il manque {listed(missing)} à son compteur, qui est à {seen}",
                "La caisse a compté des ventes qu'elle n'a pas envoyées, ou son compteur a sauté. Cherchez ces numéros"
                " sur la caisse et faites-les envoyer ; le trou se ferme à leur arrivée.",
            )


@check(title="Le compteur de chaque caisse ne se répète pas", cost=COST)
def till_counters_do_not_repeat(scope: Scope) -> Iterator[Finding]:
    """Find a counter value under two invoice numbers. Only the bytes have it, so only a sample of batches is read."""
    numbers: dict[tuple[int, int], set[str]] = defaultdict(set)
    for kept in read_batches(choose_batches(scope)):
        for number, counter in map(peek, kept.sales()):
            if number and counter is not None:
                numbers[kept.terminal_id, counter].add(number)
    repeats: dict[int, list[int]] = defaultdict(list)
    for (terminal_id, counter), invoice_numbers in sorted(numbers.items()):
        if len(invoice_numbers) > 1:
            repeats[terminal_id].append(counter)
    for terminal_id, counters in repeats.items():
        first = counters[0]
        yield Finding(
            f"{name_till(terminal_id)} a compté {len(counters)} numéro(s) deux fois ({listed(counters)}) ; le {first}"
            f" pour {listed(sorted(numbers[terminal_id, first]))}",
            "Rien n'est perdu : chaque facture est enregistrée. Mais la caisse a été restaurée, ou son compteur est"
            " reparti en arrière, et un trou dans son compteur ne prouverait plus rien.",
            is_note=True,
        )
