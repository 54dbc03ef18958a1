"""The tables of the internal package: pseudonymous, as lines, devices and loans are named by internal ids alone."""

from service.exports import tables

_NCESSCH = r"\d{12}"

LINE_USAGE = tables.Table(
    name="line_usage_period",
    title="Use of every line in the month",
    says="One row for every line that was known by the end of the month. What is not known is empty, never 0.",
    key=("period_start", "line_key"),
    columns=(
        tables.Column(
            name="period_start", kind="date", says="First local day of the period.", is_required=True
        ),
        tables.Column(name="period_end", kind="date", says="Last local day of the period.", is_required=True),
        tables.Column(
            name="line_key",
            kind="text",
            says="The line, by its internal id.",
            is_required=True,
            pattern=r"line-\d+",
        ),
        tables.Column(
            name="device_key",
            kind="text",
            says="The last device on loan that held the line in the period, else the last; empty: none is named.",
            pattern=r"device-\d+",
        ),
        tables.Column(
            name="device_type",
            kind="text",
            says="What that device is: a bus router or a laptop is never a home connection.",
            choices=("hotspot", "fixed_router", "bus_router", "laptop"),
        ),
        tables.Column(
            name="school_ncessch",
            kind="text",
            says="The school of the last loan that the line served in the period; empty: it served none.",
            pattern=_NCESSCH,
        ),
        tables.Column(
            name="bytes_total",
            kind="integer",
            says="Bytes of the days that are known, of one source a day, and of longer times told in one figure.",
            unit="bytes",
            minimum=0,
        ),
        tables.Column(
            name="bytes_up",
            kind="integer",
            says="Empty: only the sum of both ways is kept.",
            unit="bytes",
            minimum=0,
        ),
        tables.Column(
            name="bytes_down",
            kind="integer",
            says="Empty: only the sum of both ways is kept.",
            unit="bytes",
            minimum=0,
        ),
        tables.Column(
            name="session_count",
            kind="integer",
            says="Data sessions that began in the period; empty: no source told of any.",
            unit="sessions",
            minimum=0,
        ),
        tables.Column(
            name="days_with_use",
            kind="integer",
            says="Known days with more than 0 bytes; empty: no day is known.",
            unit="days",
            minimum=0,
            maximum=31,
        ),
        tables.Column(
            name="last_used_date",
            kind="date",
            says="The last known day with use: in the period, or before it in the loan that has the line.",
        ),
        tables.Column(
            name="consecutive_days_unused",
            kind="integer",
            says=(
                "Days known to be without a byte since the last use, at the period's end. Unknown days and days "
                "suspended by the district pause it. Where no loan tells more, only days of the period count."
            ),
            unit="days",
            minimum=0,
        ),
        tables.Column(
            name="consecutive_instructional_days_unused",
            kind="integer",
            says="The same over instructional days; empty: there is no calendar.",
            unit="days",
            minimum=0,
        ),
        tables.Column(
            name="days_without_data",
            kind="integer",
            says="Days of the period, since the line was first seen, of which nothing is known.",
            unit="days",
            is_required=True,
            minimum=0,
            maximum=31,
        ),
        tables.Column(
            name="notice_60_sent_at",
            kind="instant",
            says="When the loan's notice of 60 days without use was raised (UTC), with this line in it, if it stood.",
        ),
        tables.Column(
            name="terminate_after",
            kind="date",
            says="30 days after that notice; empty: it no longer stands.",
        ),
        tables.Column(
            name="terminated_at",
            kind="date",
            says="The day of the period on which a line in service was first told to be deactivated.",
        ),
        tables.Column(
            name="is_in_service",
            kind="boolean",
            says=(
                "False: every status told in the period was deactivated or not yet active, or, where none was told in "
                "it, the last of the year before. Empty: none was told then either."
            ),
        ),
        tables.Column(
            name="cost_period",
            kind="number",
            says="What the line's plan costs a month; empty: not told, or known not to be in service.",
            unit=tables.MONEY,
            minimum=0,
        ),
        tables.Column(
            name="idle_cost_period",
            kind="number",
            says="The cost where every day is a known 0; 0 where it was used; empty: not known.",
            unit=tables.MONEY,
            minimum=0,
        ),
        tables.Column(
            name="cap_pct",
            kind="number",
            says=(
                "Most of the plan's allowance of a month or billing cycle that was used in the period; of a yearly or "
                "pooled one, what was used of it by the period's end. Empty: the plan has none, another limit was in "
                "force (what a provider sets line by line is not kept by day), or no total was told."
            ),
            unit=tables.PERCENT,
            minimum=0,
        ),
        tables.Column(
            name="throttled_days",
            kind="integer",
            says="Days at an allowance that stops or throttles the line; empty: nothing is told of that.",
            unit="days",
            minimum=0,
            maximum=31,
        ),
        tables.Column(
            name="usage_source",
            kind="text",
            says="Who told most of the use: the carrier, the device's cloud, a device manager, a file, another source.",
            choices=("carrier", "device", "mdm", "file", "other"),
        ),
        tables.Column(
            name="source_updated_at",
            kind="date",
            says="The last day of the period that a source has told the use of.",
        ),
    ),
)

ALERTS_MONTH = tables.Table(
    name="alerts_month",
    title="Alerts of the month",
    says="What became of the alerts, by rule and school, without their subjects.",
    key=("rule", "severity", "school_ncessch"),
    columns=(
        tables.Column(name="rule", kind="text", says="The alert rule.", is_required=True),
        tables.Column(
            name="severity",
            kind="text",
            says="Of the rule.",
            is_required=True,
            choices=("info", "warning", "high", "critical"),
        ),
        tables.Column(
            name="school_ncessch", kind="text", says="Empty: of no one school.", pattern=rf"({_NCESSCH})?"
        ),
        *(
            tables.Column(name=name, kind="integer", says=says, unit="times", is_required=True, minimum=0)
            for name, says in (
                ("fired", "How often one fired in the month."),
                ("cleared", "How often one cleared."),
                ("acknowledged", "How often one was acknowledged."),
                ("snoozed", "How often one was put off."),
                ("escalated", "How often one was escalated."),
            )
        ),
        tables.Column(
            name="open_at_month_end",
            kind="integer",
            says="Alerts in breach at the end of the month, those held back for coming and going among them.",
            unit="alerts",
            is_required=True,
            minimum=0,
        ),
        tables.Column(
            name="median_hours_to_clear",
            kind="number",
            says="Of those that cleared in the month, from firing; empty: none did.",
            unit="hours",
            decimals=1,
            minimum=0,
        ),
    ),
)

RECLAIM = tables.Table(
    name="reclaim",
    title="Hotspots to ask back",
    says="Loans that nobody uses and active lines that nobody has on loan, on the day that the month's figures are of.",
    key=("kind", "device_key", "line_key", "loan_key"),
    columns=(
        tables.Column(
            name="kind",
            kind="text",
            says="A loan never used, a loan idle, or an active line without a loan.",
            is_required=True,
            choices=("never_used", "idle", "line_without_loan"),
        ),
        tables.Column(
            name="school_ncessch", kind="text", says="Who lent it (last); empty: nobody.", pattern=_NCESSCH
        ),
        tables.Column(name="school_name", kind="text", says="Its name."),
        tables.Column(
            name="device_key", kind="text", says="The device, by its internal id; empty: not known."
        ),
        tables.Column(
            name="line_key", kind="text", says="The line, by its internal id; empty: the device has none."
        ),
        tables.Column(
            name="loan_key", kind="text", says="The loan, by its internal id; empty: there is none."
        ),
        tables.Column(
            name="days",
            kind="integer",
            says="Without use, or without a loan.",
            unit="days",
            is_required=True,
            minimum=0,
        ),
        tables.Column(
            name="is_at_least",
            kind="boolean",
            says="True: it may be longer, as nobody watched before.",
            is_required=True,
        ),
        tables.Column(name="since_on", kind="date", says="The first of these days."),
        tables.Column(
            name="monthly_cost",
            kind="number",
            says="Of the device's lines; empty: not told.",
            unit=tables.MONEY,
            minimum=0,
        ),
    ),
)

REALLOCATION = tables.Table(
    name="reallocation",
    title="Where the hotspots would go",
    says="One at a time to the school where most students in need have no loan, after the hotspots above are back.",
    key=("school_ncessch",),
    columns=(
        tables.Column(
            name="school_ncessch", kind="text", says="NCES school id.", is_required=True, pattern=_NCESSCH
        ),
        tables.Column(name="school_name", kind="text", says="Its name.", is_required=True),
        tables.Column(
            name="hotspots", kind="integer", says="How many it would get.", unit="hotspots", minimum=1
        ),
        tables.Column(name="need", kind="integer", says="Students in need.", unit="students", minimum=0),
        tables.Column(
            name="loaned", kind="integer", says="Of these, with a loan now.", unit="students", minimum=0
        ),
        tables.Column(
            name="unserved_before",
            kind="integer",
            says="Students in need without a loan once the unused hotspots are back.",
            unit="students",
            minimum=0,
        ),
        tables.Column(
            name="unserved_after", kind="integer", says="And once these are lent.", unit="students", minimum=0
        ),
        tables.Column(
            name="most_gained",
            kind="integer",
            says="Students that coverage gains if every one of them becomes adequate: an upper bound.",
            unit="students",
            minimum=0,
        ),
        tables.Column(
            name="likely_gained",
            kind="number",
            says="At the share of loans that are adequate today; empty: no loan's state is known.",
            unit="students",
            decimals=1,
            minimum=0,
        ),
        tables.Column(
            name="ties", kind="text", says="What decided where schools had the same unserved need."
        ),
    ),
)
