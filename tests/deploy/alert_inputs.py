"""For each rule of alerts.yml: measures on which it fires, what it then says, and measures on which it just does not.

A series is written as promtool takes it: `7+0x200` stays at 7, `0+60x200` grows by 60 a minute. A situation is laid
over a healthy day; None takes a series away, as where nobody tells it. All last three hours: no rule waits as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

MINUTES = 180
Series = Mapping[str, str | None]


def steady(value: float) -> str:
    return f"{value}+0x{MINUTES}"


def growing(per_minute: float) -> str:
    return f"0+{per_minute}x{MINUTES}"


UP = 'up{job="caisse",instance="api:8000"}'
HEALTHY: Mapping[str, str] = {
    UP: steady(1),
    "caisse_database_up": steady(1),
    "caisse_broker_up": steady(1),
    "caisse_migrations_pending": steady(0),
    "caisse_workers_alive": steady(2),
    "caisse_sweep_last_turn_age_seconds": steady(2),
    'caisse_oldest_waiting_sale_age_seconds{paused="no"}': steady(1),
    'caisse_oldest_waiting_sale_age_seconds{paused="yes"}': steady(0),
    'caisse_sales_waiting{paused="no"}': steady(5),
    'caisse_sales_waiting{paused="yes"}': steady(0),
    'caisse_sales_total{status="created"}': growing(60),
    'caisse_sales_total{status="rejected"}': growing(1),
    'caisse_sales_total{status="failed"}': steady(3),
    'caisse_refusals_total{code="stock_insuffisant"}': growing(1),
    'caisse_refusals_total{code="echec_interne"}': steady(3),
    'caisse_refusals_total{code="deja_existante"}': steady(10),
    'caisse_retries_total{reason="deadlock"}': growing(1),
    'caisse_rings_total{by="api"}': growing(30),
    'caisse_ring_failures_total{by="api"}': steady(4),
    "caisse_sweep_posted_sales_total": steady(9),
    'caisse_intake_total{answer="accepted"}': growing(30),
    'caisse_intake_total{answer="repeated"}': growing(1),
    'caisse_intake_total{answer="terminal_inconnu"}': steady(2),
    'caisse_desk_entries_open{status="rejected"}': steady(4),
    'caisse_desk_entries_open{status="failed"}': steady(0),
    "caisse_lane_starts_max": steady(1),
    'caisse_posting_seconds_bucket{le="0.1"}': growing(60),
    'caisse_posting_seconds_bucket{le="0.2"}': growing(61),
    'caisse_posting_seconds_bucket{le="0.5"}': growing(61),
    'caisse_posting_seconds_bucket{le="+Inf"}': growing(61),
    "caisse_tills_clock_wrong": steady(0),
    "caisse_doctor_findings": steady(0),
    "caisse_doctor_last_run_age_seconds": steady(40_000),
}
# What the API tells while the database is away: these two, and nothing that it would have to read.
NOTHING_READ: Series = {name: None for name in HEALTHY if name != UP} | {"caisse_broker_up": steady(1)}


@dataclass(frozen=True)
class Firing:
    """An alert as people get it. A description of None is the rule's own, word for word."""

    name: str
    severity: str
    summary: str
    description: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.severity


@dataclass(frozen=True)
class Situation:
    """What is measured, all alerts that this fires, and a change of it on which the first of them stays silent."""

    series: Series
    fires: tuple[Firing, ...]
    but: Series

    @property
    def id(self) -> str:
        return f"{self.fires[0].name}-{self.fires[0].severity}"


def alone(firing: Firing, series: Series, *, but: Series) -> Situation:
    return Situation(series=series, fires=(firing,), but=but)


NO_API = "L’API ne répond plus"
NO_SWEEP = Firing("CaisseSweepSilent", "warning", "Aucun balayage ne tourne")
NO_DOCTOR = Firing("CaisseDoctorNotRun", "warning", "Le docteur n’a pas examiné la base depuis plus d’un jour et demi")
NOT_PAUSED = {"paused": "no"}
TEN_MINUTES = "Une vente reçue attend depuis 10m 1s"
WAITING = 'caisse_oldest_waiting_sale_age_seconds{paused="no"}'
BACKLOG = 'caisse_sales_waiting{paused="no"}'
CREATED = 'caisse_sales_total{status="created"}'
FAILED = 'caisse_sales_total{status="failed"}'
UNKNOWN_ARTICLE = 'caisse_refusals_total{code="article_inconnu"}'
DEADLOCKS = 'caisse_retries_total{reason="deadlock"}'
RING_FAILURES = 'caisse_ring_failures_total{by="api"}'
UNKNOWN_TILL = 'caisse_intake_total{answer="terminal_inconnu"}'

SITUATIONS = (
    alone(
        Firing("CaisseDown", "critical", NO_API, labels={"job": "caisse", "instance": "api:8000"}),
        {**NOTHING_READ, "caisse_broker_up": None, UP: steady(0)},
        but={UP: steady(1)},
    ),
    # Somebody took the target out of the configuration.
    alone(
        Firing("CaisseDown", "critical", NO_API, labels={"job": "caisse"}),
        {**NOTHING_READ, "caisse_broker_up": None, UP: None},
        but={UP: steady(1)},
    ),
    # One cause rings once: neither the sweep nor the doctor nor anything else that is read is said to be missing.
    alone(
        Firing("CaisseDatabaseDown", "critical", "La base de données ne répond plus"),
        {**NOTHING_READ, "caisse_database_up": steady(0)},
        but={**HEALTHY, "caisse_database_up": steady(1)},
    ),
    alone(
        Firing(
            "CaisseMigrationsPending",
            "critical",
            "La base n’a pas la forme que ce programme attend (migrations à faire : 2)",
        ),
        {"caisse_migrations_pending": steady(2)},
        but={"caisse_migrations_pending": steady(0)},
    ),
    # Without a broker no worker can be asked, the sweep posts all, and no ring arrives: all that is said already.
    alone(
        Firing("CaisseBrokerDown", "warning", "Redis ne répond plus"),
        {
            "caisse_broker_up": steady(0),
            "caisse_workers_alive": None,
            "caisse_sweep_posted_sales_total": growing(60),
            RING_FAILURES: growing(30),
            'caisse_rings_total{by="api"}': steady(30),
        },
        but={**HEALTHY, "caisse_broker_up": steady(1)},
    ),
    alone(
        Firing("CaisseNoWorker", "warning", "Aucun worker ne répond"),
        {"caisse_workers_alive": steady(0), "caisse_sweep_posted_sales_total": growing(60)},
        but={"caisse_workers_alive": steady(1), "caisse_sweep_posted_sales_total": steady(9)},
    ),
    alone(
        NO_SWEEP,
        {"caisse_sweep_last_turn_age_seconds": steady(61)},
        but={"caisse_sweep_last_turn_age_seconds": steady(60)},
    ),
    alone(
        NO_SWEEP,
        {"caisse_sweep_last_turn_age_seconds": None},
        but={"caisse_sweep_last_turn_age_seconds": steady(1)},
    ),
    alone(
        Firing("CaisseOldestSaleWaiting", "warning", "Une vente reçue attend depuis 2m 1s", labels=NOT_PAUSED),
        {WAITING: steady(121)},
        but={WAITING: steady(120), 'caisse_oldest_waiting_sale_age_seconds{paused="yes"}': steady(5000)},
    ),
    Situation(
        series={WAITING: steady(601)},
        fires=(
            Firing(
                "CaisseOldestSaleWaiting", "critical", "Une vente reçue attend depuis 10m 1s", labels={"paused": "no"}
            ),
            Firing(
                "CaisseOldestSaleWaiting", "warning", "Une vente reçue attend depuis 10m 1s", labels={"paused": "no"}
            ),
        ),
        but={WAITING: steady(600)},
    ),
    # 61 sales a minute are 3,660 an hour.
    alone(
        Firing("CaisseBacklog", "warning", "3700 ventes attendent : plus d’une heure de travail"),
        {BACKLOG: steady(3700)},
        but={BACKLOG: steady(3600), 'caisse_sales_waiting{paused="yes"}': steady(100_000)},
    ),
    # In a quiet night a thousand are no backlog, whatever the pace.
    alone(
        Firing("CaisseBacklog", "warning", "1001 ventes attendent : plus d’une heure de travail"),
        {
            BACKLOG: steady(1001),
            CREATED: steady(7),
            'caisse_sales_total{status="rejected"}': steady(7),
            DEADLOCKS: steady(7),
            'caisse_refusals_total{code="stock_insuffisant"}': steady(7),
        },
        but={BACKLOG: steady(1000)},
    ),
    alone(
        Firing(
            "CaisseSweepPostsItself",
            "warning",
            "Le balayage enregistre lui-même des ventes alors que Redis et les workers répondent",
        ),
        {"caisse_sweep_posted_sales_total": growing(1)},
        but={"caisse_sweep_posted_sales_total": f"0+0x60 1+0x{MINUTES - 61}"},
    ),
    # Four of 34 rings are more than one in ten, and forty in ten minutes are no restart of Redis.
    alone(
        Firing("CaisseRingFailures", "warning", "Redis répond mais refuse les appels (api)", labels={"by": "api"}),
        {RING_FAILURES: growing(4)},
        but={RING_FAILURES: growing(3)},
    ),
    alone(
        Firing("CaisseRingFailures", "warning", "Redis répond mais refuse les appels (sweep)", labels={"by": "sweep"}),
        {'caisse_ring_failures_total{by="sweep"}': growing(1.2), 'caisse_rings_total{by="sweep"}': growing(2)},
        but={'caisse_ring_failures_total{by="sweep"}': growing(0.9)},
    ),
    alone(
        Firing(
            "CaissePausedForLong",
            "warning",
            "L’enregistrement est en pause depuis plus de deux heures (shop : 1)",
            labels={"scope": "shop"},
        ),
        {'caisse_pauses{scope="shop"}': steady(1)},
        but={'caisse_pauses{scope="shop"}': f"1+0x110 0+0x{MINUTES - 111}"},
    ),
    # From five on the system settles the sale, and only the look back shows what happened.
    alone(
        Firing("CaisseSaleKillsWorkers", "warning", "Une vente a tué 3 processus de suite"),
        {"caisse_lane_starts_max": f"0+0x{MINUTES - 9} 3 0+0x7"},
        but={"caisse_lane_starts_max": steady(2)},
    ),
    alone(
        Firing("CaisseFailedSales", "warning", "Ventes en échec de notre côté : 1"),
        {'caisse_desk_entries_open{status="failed"}': steady(1)},
        but={'caisse_desk_entries_open{status="failed"}': steady(0)},
    ),
    alone(
        Firing("CaisseFailedSales", "critical", "30 ventes en échec en un quart d’heure"),
        {FAILED: growing(2)},
        but={FAILED: growing(1.3)},
    ),
    # 76 sales a minute, 16 of them refused for one reason: more than one in five.
    alone(
        Firing(
            "CaisseRefusalsUnusual",
            "warning",
            "Beaucoup de ventes refusées : article_inconnu",
            "Plus d’une vente sur cinq de la dernière heure a été refusée pour cette raison (960 ventes). Elles sont "
            "gardées et attendent dans « À corriger » des boutiques.",
            labels={"code": "article_inconnu"},
        ),
        {UNKNOWN_ARTICLE: growing(16), 'caisse_sales_total{status="rejected"}': growing(16)},
        but={
            UNKNOWN_ARTICLE: growing(15),
            # What is known already, set aside, or our own doing is no refusal.
            'caisse_refusals_total{code="deja_existante"}': growing(60),
            'caisse_refusals_total{code="ecartee"}': growing(60),
            'caisse_refusals_total{code="echec_interne"}': growing(60),
        },
    ),
    # Sixty sales an hour, all refused; fifty would be a small shop's bad morning.
    alone(
        Firing(
            "CaisseRefusalsUnusual",
            "warning",
            "Beaucoup de ventes refusées : article_inconnu",
            "Plus d’une vente sur cinq de la dernière heure a été refusée pour cette raison (60 ventes). Elles sont "
            "gardées et attendent dans « À corriger » des boutiques.",
            labels={"code": "article_inconnu"},
        ),
        {
            CREATED: steady(7),
            'caisse_refusals_total{code="stock_insuffisant"}': steady(7),
            DEADLOCKS: steady(7),
            'caisse_sales_total{status="rejected"}': growing(1),
            UNKNOWN_ARTICLE: growing(1),
        },
        but={'caisse_sales_total{status="rejected"}': growing(0.8), UNKNOWN_ARTICLE: growing(0.8)},
    ),
    # Seven for every 61 sales.
    alone(
        Firing(
            "CaisseRetriesMany",
            "warning",
            "La base fait souvent recommencer : deadlock",
            "70 transactions recommencées en dix minutes pour cette raison : plus d’une pour dix ventes. Rien n’est "
            "perdu, mais l’enregistrement ralentit.",
            labels={"reason": "deadlock"},
        ),
        {DEADLOCKS: growing(7)},
        but={DEADLOCKS: growing(6)},
    ),
    # Four a minute are forty in ten minutes; three are no share of a quiet night's sales.
    alone(
        Firing(
            "CaisseRetriesMany",
            "warning",
            "La base fait souvent recommencer : lock_wait",
            "40 transactions recommencées en dix minutes pour cette raison : plus d’une pour dix ventes. Rien n’est "
            "perdu, mais l’enregistrement ralentit.",
            labels={"reason": "lock_wait"},
        ),
        {CREATED: growing(5), 'caisse_retries_total{reason="lock_wait"}': growing(4)},
        but={'caisse_retries_total{reason="lock_wait"}': growing(2.9)},
    ),
    # Four in sixty take longer than a fifth of a second; three in sixty are one in twenty.
    alone(
        Firing(
            "CaissePostingSlow",
            "warning",
            "Enregistrer une vente est lent : une sur vingt prend plus de 275ms",
        ),
        {
            'caisse_posting_seconds_bucket{le="0.1"}': growing(50),
            'caisse_posting_seconds_bucket{le="0.2"}': growing(56),
            'caisse_posting_seconds_bucket{le="0.5"}': growing(60),
            'caisse_posting_seconds_bucket{le="+Inf"}': growing(60),
        },
        but={'caisse_posting_seconds_bucket{le="0.2"}': growing(57)},
    ),
    alone(
        Firing(
            "CaisseTillClockWrong",
            "warning",
            "Caisses qui ne sont pas à l’heure : 2",
            "Leurs ventes peuvent compter pour un autre jour. Les plus fausses : BTQ-009 Caisse 2 (1d 0h 0m 0s) "
            "BTQ-009 Caisse 1 (15m 0s) ",
        ),
        {
            "caisse_tills_clock_wrong": steady(2),
            'caisse_till_clock_skew_seconds{shop="BTQ-009",till="Caisse 1"}': steady(-900),
            'caisse_till_clock_skew_seconds{shop="BTQ-009",till="Caisse 2"}': steady(86_400),
        },
        but={"caisse_tills_clock_wrong": f"2+0x50 0+0x{MINUTES - 51}"},
    ),
    # Four of 35 posts. Who is asked to come back later does well.
    alone(
        Firing(
            "CaisseIntakeRefused",
            "warning",
            "Beaucoup d’envois de caisses refusés : terminal_inconnu",
            "60 envois refusés en entier pour cette raison en un quart d’heure, plus d’un sur dix. Rien n’en est "
            "gardé : ces ventes restent dans les caisses.",
            labels={"answer": "terminal_inconnu"},
        ),
        {UNKNOWN_TILL: growing(4)},
        but={
            UNKNOWN_TILL: growing(3),
            'caisse_intake_total{answer="trop_de_requetes"}': growing(60),
            'caisse_intake_total{answer="enregistrement_en_cours"}': growing(60),
        },
    ),
    # 1.4 a minute are 21 in a quarter of an hour, and 1.3 are 19.5.
    alone(
        Firing(
            "CaisseIntakeRefused",
            "warning",
            "Beaucoup d’envois de caisses refusés : terminal_inconnu",
            "21 envois refusés en entier pour cette raison en un quart d’heure, plus d’un sur dix. Rien n’en est "
            "gardé : ces ventes restent dans les caisses.",
            labels={"answer": "terminal_inconnu"},
        ),
        {'caisse_intake_total{answer="accepted"}': growing(2), UNKNOWN_TILL: growing(1.4)},
        but={UNKNOWN_TILL: growing(1.3)},
    ),
    alone(
        Firing("CaisseDoctorFoundSomething", "warning", "Le docteur a trouvé des choses à voir : 4"),
        {"caisse_doctor_findings": steady(4)},
        but={"caisse_doctor_findings": steady(0)},
    ),
    alone(
        NO_DOCTOR,
        {"caisse_doctor_last_run_age_seconds": steady(129_601)},
        but={"caisse_doctor_last_run_age_seconds": steady(129_600)},
    ),
    alone(
        NO_DOCTOR,
        {"caisse_doctor_last_run_age_seconds": None},
        but={"caisse_doctor_last_run_age_seconds": steady(1)},
    ),
)
