-- shown_alerts --
-- How many alerts of each rule are in breach, by severity and state, and how many of them are acknowledged or snoozed.
-- Parameters: now.
SELECT
    district_id, rule, severity, state::text AS state, count(*) AS alerts,
    count(*) FILTER (WHERE acknowledged_at IS NOT NULL OR snoozed_until_at > $1::timestamptz) AS quiet
FROM alerts
WHERE state <> 'clear'
GROUP BY district_id, rule, severity, state
ORDER BY district_id, rule, severity, state;

-- shown_rule_runs --
-- What each rule said when it last ran.
SELECT district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged, failing_since_at
FROM rule_runs
ORDER BY district_id, rule;

-- shown_days_waiting --
-- How many days of each district wait to be computed, and the first of them. Districts with none are not in it.
SELECT district_id, count(*) AS days, min(on_day) AS first_on
FROM (
    SELECT district_id, on_day FROM dirty_line_days
    UNION
    SELECT district_id, on_day FROM dirty_loan_days
) AS marked
GROUP BY district_id;

-- shown_flips_waiting --
-- How many changes of alerts are not yet put into messages, and since when. Districts with none are not in it.
SELECT district_id, count(*) AS flips, min(created_at) AS oldest_at
FROM flips
WHERE processed_at IS NULL
GROUP BY district_id;

-- shown_channels --
-- Every channel in use: how it fares, what waits for it, and what became of the messages of the last day.
-- Parameters: now.
SELECT
    c.district_id, c.channel_key, c.last_success_at, c.failing_since_at,
    coalesce(w.waiting, 0) AS waiting, w.oldest_due_at,
    coalesce(d.sent, 0) AS sent, coalesce(d.given_up, 0) AS given_up
FROM channels AS c
LEFT JOIN (
    SELECT district_id, channel_key, count(*) AS waiting, min(due_at) AS oldest_due_at
    FROM notifications
    WHERE state = 'waiting'
    GROUP BY district_id, channel_key
) AS w USING (district_id, channel_key)
LEFT JOIN (
    SELECT
        district_id, channel_key, count(*) FILTER (WHERE state = 'sent') AS sent,
        count(*) FILTER (WHERE state = 'given_up') AS given_up
    FROM notifications
    WHERE created_at > $1::timestamptz - interval '1 day'
    GROUP BY district_id, channel_key
) AS d USING (district_id, channel_key)
WHERE c.is_in_use
ORDER BY c.district_id, c.channel_key;
