"""The sentences that tell an operator what an action did."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backend.ops.pages.operations import Obstacle, Posted, Retried, Rung, RungAll
from backend.sales.models import OutcomeStatus

RUNG = {
    Rung.RUNG: gettext_lazy("La sonnette est partie : un ouvrier prendra cette caisse dès qu’il sera libre."),
    Rung.NOT_DUE: gettext_lazy("On vient de sonner pour cette caisse, ou quelqu’un y travaille en ce moment même."),
    Rung.NOT_HEARD: gettext_lazy(
        "Le courtier n’a pas pris la sonnette. Les rondes enregistrent sans lui ; vous pouvez aussi enregistrer ici."
    ),
}
OBSTACLES = {
    Obstacle.NOTHING: gettext_lazy("Rien n’attend à cette caisse."),
    Obstacle.PAUSED: gettext_lazy("L’enregistrement est en pause : levez la pause d’abord."),
    Obstacle.BUSY: gettext_lazy("Quelqu’un d’autre travaille à cette caisse en ce moment même."),
    Obstacle.DEADLY: gettext_lazy(
        "La vente suivante a déjà interrompu plusieurs fois qui voulait l’enregistrer : elle est laissée aux ouvriers"
        " et aux rondes, qui la mettront en échec pour que les autres passent."
    ),
    Obstacle.INTERRUPTED: gettext_lazy("La base de données a interrompu l’essai. Rien n’est perdu ; essayez encore."),
}
ENDS = {
    OutcomeStatus.CREATED: gettext_lazy("enregistrées"),
    OutcomeStatus.VOIDED: gettext_lazy("annulations faites"),
    OutcomeStatus.RETURNED: gettext_lazy("retours faits"),
    OutcomeStatus.PAID: gettext_lazy("paiements enregistrés"),
    OutcomeStatus.DUPLICATE: gettext_lazy("déjà enregistrées"),
    OutcomeStatus.CONFLICT: gettext_lazy("de numéro déjà pris"),
    OutcomeStatus.REJECTED: gettext_lazy("refusées"),
    OutcomeStatus.DEFERRED: gettext_lazy("en attente de leur vente d’origine"),
    OutcomeStatus.FAILED: gettext_lazy("encore en échec"),
    OutcomeStatus.SET_ASIDE: gettext_lazy("mises de côté"),
}


def rung_all_words(report: RungAll) -> str:
    words = ngettext(
        "On a sonné pour %(count)s caisse.", "On a sonné pour %(count)s caisses.", report.rung
    ) % {"count": report.rung}  # fmt: skip
    if report.not_due:
        skipped = ngettext(
            "Une autre l’a été il y a quelques secondes, ou avance.",
            "%(count)s autres l’ont été il y a quelques secondes, ou avancent.",
            report.not_due,
        )
        words += " " + skipped % {"count": report.not_due}
    if report.is_unheard:
        words += " " + _("Le courtier ne prend pas la sonnette ; les rondes enregistrent sans lui.")
    return words if report.rung or report.not_due or report.is_unheard else _("Aucune caisse n’est à l’arrêt.")


def posted_words(report: Posted) -> str:
    if report.obstacle is not None and not report.count:
        return str(OBSTACLES[report.obstacle])
    words = ngettext(
        "%(count)s vente a reçu son sort.", "%(count)s ventes ont reçu leur sort.", report.count
    ) % {"count": report.count}  # fmt: skip
    if report.obstacle is not None:
        return f"{words} {OBSTACLES[report.obstacle]}"
    if report.has_more:
        return words + " " + _("Il en reste : continuez, ou sonnez pour que les ouvriers prennent la suite.")
    return words + " " + _("Plus rien n’attend à cette caisse.")


def retried_words(report: Retried) -> str:
    if not report.tried:
        return _("Il n’y a plus de vente en échec ici.")
    words = ngettext(
        "%(count)s vente essayée encore", "%(count)s ventes essayées encore", report.tried
    ) % {"count": report.tried}  # fmt: skip
    parts = [f"{count} {ENDS[OutcomeStatus(status)]}" for status, count in report.ends.most_common()]
    if report.prevented:
        parts.append(
            _("%(count)s n’ont pas pu l’être (pause, caisse occupée, ou erreur)") % {"count": report.prevented}
        )
    words = _("%(tried)s : %(ends)s.") % {"tried": words, "ends": ", ".join(parts)}
    if report.left:
        left = ngettext("Il en reste %(count)s en échec.", "Il en reste %(count)s en échec.", report.left)
        words += " " + left % {"count": report.left}
    return words
