"""The report in English."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    # Words, days, numbers.
    "month_1": "January",
    "month_2": "February",
    "month_3": "March",
    "month_4": "April",
    "month_5": "May",
    "month_6": "June",
    "month_7": "July",
    "month_8": "August",
    "month_9": "September",
    "month_10": "October",
    "month_11": "November",
    "month_12": "December",
    "month_year": "{month} {year}",
    "day": "{month} {day}, {year}",
    "list": "{first} and {last}",
    "more_one": "one more",
    "more_many": "{n} more",
    "none": "none",
    "sentence": "{text}.",
    "range": "{least} to {most}",
    "about": "about {figure}",
    "count_exact": "{figure}",
    "count_about": "about {figure}",
    "count_between": "between {least} and {most}",
    "share_exact": "{figure}",
    "share_about": "about {figure}",
    "share_between": "between {least} and {most}",
    "share_below": "less than {figure}",
    "share_above": "more than {figure}",
    "from": "at least {figure}",
    "up_to": "at most {figure}",
    "points_one": "{n} point",
    "points_many": "{n} points",
    "symbol_withheld": "withheld",
    "symbol_unknown": "unknown",
    "symbol_no_figure_day": "no day with enough data",
    "symbol_not_applicable": "not applicable",
    "symbol_incomplete": "too little reported",
    "symbol_not_measured": "not measured",
    "symbol_few_devices": "fewer than 10 devices",
    "symbol_undefined": "not defined",
    "symbol_hidden": "hidden",
    "symbol_not_told": "cannot be told",
    "schools_one": "one school",
    "schools_many": "{n} schools",
    # The frame.
    "title": "Connected at home through loaned hotspots",
    "subtitle": "{district}, {month}",
    "about_report": "Revision {revision}. Made by afterbell {version} from figures that may be shared: where "
    "a school's numbers are small, they are given as ranges, so that no child can be found in them.",
    "about_report_strict": "Revision {revision}. Made by afterbell {version} from figures that may be shared: "
    "small counts are hidden, and what would give them away, so that no child can be found in them.",
    "mark_partial": "PARTIAL MONTH: figures through {day}; they will change",
    "footer": "{district}, {month}, revision {revision}",
    "page_of": "page {page} of {pages}",
    "as_table": "The figures of this chart as a table",
    # The answer.
    "answer_title": "The answer in short",
    "answer_known": "On {day}, {covered} of the {need} students in need ({coverage}) were connected at home "
    "by a loaned hotspot that works.",
    "answer_ranged": "On {day}, {coverage} of the students in need were connected at home by a loaned hotspot "
    "that works. That is {covered} students; {need} are in need.",
    "answer_share": "On {day}, {coverage} of the students in need were connected at home by a loaned hotspot "
    "that works.",
    "answer_no_day": "How many students in need were connected in {month} is not known: on no school day did "
    "enough hotspots report.",
    "answer_not_known": "For {day}, how many students in need were connected at home cannot be given as one "
    "figure ({why}).",
    "answer_no_need": "On {day}, no student was known to be in need of a connection at home, so there is no "
    "coverage to report.",
    "answer_bounds": "How sure is that? If every student who has not answered is in need and not connected, "
    "coverage is {low}. If every hotspot that was not heard from works, it is {high}.",
    "answer_partial": "This month is not closed. Its figures are through {day}, and will change.",
    "tile_coverage": "Coverage",
    "tile_coverage_says": "of the students in need have a connection at home that works",
    "tile_need": "Students in need",
    "tile_need_says": "cannot get online at home on the device they learn with",
    "tile_unmet": "Not yet connected",
    "tile_unmet_says": "students in need without a loaned hotspot that works",
    "tile_idle_cost": "Paid for, not used",
    "tile_idle_cost_says": "for lines that moved no data all month",
    "moved_up": "That is {points} more than in {month}, the last month released before ({before}).",
    "moved_down": "That is {points} less than in {month}, the last month released before ({before}).",
    "moved_not": "That is the same as in {month}, the last month released before.",
    "moved_unsure": "In {month}, the last month released before, it was {before}. Whether it rose or fell "
    "since is not known: the figures are not exact enough.",
    "moved_first": "No earlier month was released, so there is nothing to compare with yet.",
    "moved_missing": "Not released, and so not shown: {months}.",
    "trend_title": "Coverage of students in need, month by month",
    "trend_caption": "Dot: coverage. Thin line: from the least to the most that it can be.",
    "trend_says": "Line chart of coverage by month: {values}.",
    "trend_value": "{month}: {coverage}",
    "trend_month": "Month",
    # By school.
    "schools_title": "School by school",
    "schools_levels": "Schools with exact figures: {exact}; with ranges: {ranged}; with nothing but a band "
    "of coverage: {band}; too small to show: {withheld}.",
    "schools_levels_strict": "Schools shown in full: {whole}; with something hidden: {hidden}.",
    "schools_levels_exact": "Schools: {n}, all with exact figures.",
    "schools_none": "No school has a coverage to draw this month.",
    "schools_ends": "The {low} schools with the lowest and the {high} with the highest coverage are drawn. "
    "All others are in the package's table school_month.",
    "schools_without": "No coverage is given for {names}.",
    "in_brackets": "{school} ({figure})",
    "schools_chart_title": "Coverage by school, with bounds",
    "schools_chart_says": "Dot chart of coverage by school: {values}.",
    "schools_chart_caption": "Diamond and bold: a high-needs school. Filled: an exact figure; hollow with a "
    "thick bar: somewhere in that range, drawn at its middle. Thin line: what it is at least and at most, "
    "whatever is still unknown.",
    "schools_value": "{school}: {coverage}",
    "school": "School",
    "high_needs": "High-needs",
    "yes": "yes",
    "no": "no",
    "coverage": "Coverage",
    "at_least": "At least",
    "at_most": "At most",
    "in_need": "In need",
    "connected": "Connected",
    "not_connected": "Not connected",
    "schools_column": "Schools",
    # High-needs and others.
    "equity_title": "High-needs schools and the others",
    "equity_lower": "High-needs schools have less: {needy} of their students in need are connected, against "
    "{others} at the other schools, {gap} apart.",
    "equity_higher": "High-needs schools have more: {needy} of their students in need are connected, against "
    "{others} at the other schools, {gap} apart.",
    "equity_equal": "High-needs schools and the others stand alike: {needy} of the students in need are "
    "connected at the high-needs schools, {others} at the others.",
    "equity_unknown": "High-needs schools cannot be compared with the others this month. Coverage of "
    "the high-needs schools: {needy}; of the others: {others}.",
    "equity_unsure": "Whether students in need are connected more often at high-needs schools or at the others "
    "cannot be said from these ranges: coverage of the high-needs schools is {needy}, that of the others {others}.",
    "equity_counted": "This is of the schools whose counts are shown.",
    "equity_none": "No school is marked as high-needs or not, so they cannot be compared.",
    "equity_left_out": "Left out, as their counts are not shown: {schools}.",
    "equity_left_out_unknown": "Left out, as it is not known how many of their students are in need: {schools}.",
    "equity_chart_title": "Coverage by group of schools",
    "equity_chart_says": "Dot chart of coverage by group of schools: {values}.",
    "equity_chart_caption": "Bands go by the share of students from poor families ({basis}), the least needy "
    "first. Groups with schools given as ranges are worked out from the middles of these.",
    "basis": "{indicator}, {year}",
    "basis_isp": "identified students",
    "basis_frpl": "free or reduced-price lunch",
    "basis_direct_cert": "direct certification",
    "basis_title1": "Title I",
    "basis_local": "the district's own figure",
    "equity_chart_caption_plain": "Groups with schools given as ranges are worked out from the middles of "
    "these.",
    "group": "Group",
    "group_high-needs": "High-needs schools",
    "group_others": "Other schools",
    "group_low": "Band 1: up to 25%",
    "group_mid_low": "Band 2: over 25% to 50%",
    "group_mid_high": "Band 3: over 50% to 75%",
    "group_high": "Band 4: over 75%",
    "group_pilot": "Pilot schools",
    "group_comparison": "Comparison schools",
    "side_pilot": "Pilot: {coverage}",
    "side_comparison": "Comparison: {coverage}",
    "ratio_lead": "Ratio {figure}.",
    "ratio_says": "Coverage of the high-needs schools divided by that of the others: 1 is equal, below 1 "
    "they have less.",
    "aci_lead": "Concentration index {figure}.",
    "aci_says": "Over all schools, from the neediest to the least needy: 0 is an even spread, above 0 "
    "coverage lies more with the less needy schools, below 0 with the needier.",
    "rci_lead": "Relative index {figure}.",
    "rci_says": "The same measure relative to the average coverage, so that months and districts can be "
    "compared: from -1 to 1, and 0 is even.",
    "par_lead": "Room to gain {figure}.",
    "par_says": "How far district coverage would rise if every school were covered as well as the best band.",
    "index_open": "cannot be said from these ranges, between {least} and {most}",
    "index_open_without": "{figure}, whose direction cannot be said",
    "ratio_name": "the ratio",
    "aci_name": "the concentration index",
    "rci_name": "the relative index",
    "par_name": "the room to gain",
    "measures_undefined": "Without a value this month: {names}. The table notes says why (csv/notes.csv, or its sheet "
    "in the workbook), in its section undefined.",
    # Money.
    "money_title": "What the money bought, and what lay idle",
    "money_known": "In {month} the district paid {cost} for lines. For lines that moved no data all month: "
    "{idle}.",
    "money_unknown": "What the lines cost in {month}: {why}.",
    "money_lines_lead": "Lines paid for: {figure}.",
    "money_lines_says": "Of these, idle all month: {idle}. A line counts as idle only if every day is known "
    "to have had no data; a line that was not heard from does not.",
    "money_each_lead": "Cost for each connected student: {figure}.",
    "money_each_says": "All lines of the month, divided by the students in need who are connected.",
    "money_prices_lead": "Prices.",
    "money_prices_says": "Some lines have no price, so no cost is told.",
    "money_unheard_lead": "Not heard from.",
    "money_unheard_says": "Of some lines nothing was heard all month; they do not count as idle.",
    # The pilot.
    "pilot_title": "The pilot: {name}",
    "pilot_question": "Its question: {question}",
    "pilot_when": "It began on {starts}.",
    "pilot_when_ended": "It ran from {starts} to {ends}.",
    "pilot_answer": "Coverage of the pilot schools changed by {change}, that of the comparison schools by "
    "{comparison}. The difference between the two is {difference}.",
    "pilot_range": "Given the ranges, that difference lies between {least} and {most}.",
    "pilot_better": "The pilot schools gained more than the comparison schools; other causes cannot be ruled "
    "out.",
    "pilot_worse": "The pilot schools gained less than the comparison schools; other causes cannot be ruled "
    "out.",
    "pilot_undecided": "No difference between the pilot schools and the comparison schools can be told: it lies "
    "anywhere between {least} and {most}.",
    "pilot_changes": "Coverage of the pilot schools changed by {change}, that of the comparison schools by "
    "{comparison}.",
    "pilot_between": "anything between {least} and {most}",
    "pilot_unsure": "From these figures nobody can say that the pilot schools did better or worse than the "
    "others.",
    "pilot_no_answer": "No answer yet: coverage before and during is not known for both sides. Change of the "
    "pilot schools: {change}; of the comparison schools: {comparison}.",
    "pilot_chart_title": "Coverage before and during the pilot",
    "pilot_chart_says": "Line chart of coverage before and during the pilot: {values}.",
    "pilot_chart_value": "{side} {period}: {coverage}",
    "pilot_chart_caption": "Solid line and filled dots: pilot schools. Dashed line and hollow dots: "
    "comparison schools. Thin bars: what each is at least and at most.",
    "pilot_side": "Schools",
    "pilot_period": "Months",
    "pilot_months": "{period}: {months}",
    "pilot_schools": "{n} ({out} left out)",
    "period_before": "before",
    "period_during": "during",
    "mean_need": "In need (mean)",
    "mean_connected": "Connected (mean)",
    "warning_one_school": "The pilot has one school: what happened there may have other causes.",
    "warning_no_comparison": "There are no comparison schools, so a change may have come about without the "
    "pilot.",
    "warning_months_missing": "Some months before or during were not released, and are missing from the "
    "comparison.",
    "warning_few_months": "Few months are in the comparison: one unusual month weighs much.",
    "warning_left_out_schools": "Schools whose counts are not shown, or not known, in every month are left out of the "
    "comparison.",
    "warning_small_need": "Few students are in need at these schools: a few families make a large change.",
    "warning_other": "The table notes (csv/notes.csv, or its sheet in the workbook) tells a further limit of this "
    "comparison.",
    # What changed, what to do.
    "next_title": "What changed, and what to do next",
    "rose": "Rose since {month}:",
    "fell": "Fell since {month}:",
    "moved_school": "{school} ({before}, now {now})",
    "do_nothing": "No figure of this month asks for more than going on as before.",
    "do_need_lead": "Find out who is in need.",
    "do_need": "Need is not known in the district: enter the answers of families, or counts by school.",
    "do_idle_lead": "Collect or pause idle hotspots.",
    "do_idle": "{idle} lines moved no data all month, at {cost}. Ask the families first: a hotspot may only "
    "need help.",
    "do_reach_lead": "Reach these schools first.",
    "do_reach": "Coverage is below {floor} for certain at {names}.",
    "do_waitlist_lead": "Move hotspots to where families wait.",
    "do_waitlist": "Requests are unfilled at {names}.",
    "do_gap_lead": "Lend to high-needs schools next.",
    "do_gap": "Their students in need are connected less often than those of the other schools.",
    "do_ask_lead": "Ask the families who have not answered.",
    "do_ask": "The families of {ratio} of the students have answered whether their child can get online at "
    "home; below {floor} the count of need is weak.",
    "do_renew_lead": "Count need again.",
    "do_renew": "More students are connected than are counted in need at {names}: the count is out of date.",
    "do_sources_lead": "Ask IT about missing data.",
    "do_sources": "Days of the month without a word: {gaps}.",
    "days_one": "one day",
    "days_many": "{n} days",
    "do_unheard_lead": "Look for hotspots that do not report.",
    "do_unheard": "Only {share} of the students with a hotspot could be judged; below {floor} coverage is "
    "not given.",
    # How sure.
    "sure_title": "How sure we are, and what is not known",
    "sure_day_lead": "The day.",
    "sure_day": "A month's figure is that of its last school day on which enough hotspots reported ({floor} "
    "of the students with one): {day}.",
    "sure_no_day": "No school day of the month had enough reports, so this month has no figure of coverage.",
    "sure_heard_lead": "Heard from.",
    "sure_heard": "Students with a hotspot who could be judged: {share}; who could not: {unknown}. These are "
    "counted as unknown, never as connected or not connected.",
    "sure_answers_lead": "Answers.",
    "sure_answers": "Students whose families have answered whether their child can get online at home: "
    "{share}.",
    "sure_gaps_lead": "Gaps.",
    "sure_gaps": "Days without a word in the month: {gaps}.",
    "sure_gaps_one": "{source} {days}",
    "sure_no_sources": "No source of data is set up.",
    "sure_no_gaps": "Every source was heard from on every day of the month.",
    "sure_ranges_lead": "Ranges.",
    "sure_ranges": "Counts from 1 to 9 are protected. Where one could be worked out, the school's counts are "
    "given as ranges, or not at all. All other figures, and every chart, are made from what is shown here.",
    "sure_strict": "This package hides every small count, and what would give it away: such cells say n<10 "
    "or similar, hidden, <5% or >95%.",
    "sure_revision_lead": "Revision {n}.",
    "sure_revision": "It replaces an earlier one; cells changed: {cells}. Why: {reasons}. The table changes "
    "lists each.",
    "sure_revision_none": "It replaces an earlier one.",
    "why_late_data": "data came late",
    "why_need_corrected": "need was corrected",
    "why_loans_corrected": "loans were corrected",
    "why_calendar_corrected": "the school calendar was corrected",
    "why_prices_corrected": "prices were corrected",
    "why_settings_changed": "settings changed",
    "why_new_version": "a new version of the software",
    "why_other": "other reasons, told in the notes",
    "sure_limits_lead": "What these figures do not tell.",
    "sure_limits": "Whether a connection was fast enough for homework, what it was used for, or why a "
    "hotspot lies idle. Students connected in other ways are not counted. Definitions and thresholds are in "
    "the table notes (csv/notes.csv, or its sheet in the workbook).",
    # What it comes to.
    "verdict_title": "Should it go on? What this month can say",
    "verdict_reached_lead": "Reached.",
    "verdict_reached": "Of the students in need, {coverage} were connected at home by a loaned hotspot.",
    "verdict_bounds": "With all that is still unknown it is at least {low} and at most {high}.",
    "verdict_not_reached": "The share of the students in need who were connected cannot be told ({why}).",
    "verdict_idle_lead": "Idle.",
    "verdict_idle": "Lines paid for: {lines}. Without data all month: {idle}.",
    "verdict_pilot_lead": "The pilot.",
    "verdict_no_pilot": "This package compares no pilot schools with others, so it cannot say what the hotspots "
    "changed.",
    "verdict_pilot_open": "There is no answer to its question yet.",
    "verdict_surer_lead": "What would make this surer:",
    "surer_answers": "answers of more families",
    "surer_reports": "more hotspots that report",
    "surer_months": "more released months",
    "surer_settled": "the closed month in place of a partial one",
    "surer_pilot": "a pilot with comparison schools",
    "surer_comparison": "comparison schools",
    "surer_pilot_months": "more released months before and during the pilot",
    "surer_pilot_schools": "more schools, or larger ones, on both sides of the pilot",
    "verdict_end": "Whether another way of connecting students would do better for the money cannot be read from this "
    "report.",
}
