-- lock_alerts --
-- One process at a time judges a district's alerts, until it lets go. Parameters: district.
SELECT pg_try_advisory_lock(1634034293, $1);

-- unlock_alerts --
-- Parameters: district.
SELECT pg_advisory_unlock(1634034293, $1);

-- alert_day --
-- The district's zone, the day that is reported, and the one that would be if everything were computed.
-- Parameters: district, now.
SELECT
    d.time_zone,
    due.on_day AS due_on,
    CASE WHEN d.computed_through_on IS NOT NULL THEN least(d.computed_through_on, due.on_day) END AS reported_on
FROM districts AS d
CROSS JOIN LATERAL (
    SELECT ($2::timestamptz AT TIME ZONE d.time_zone)::date - 1
           - coalesce(max(a.lag_days) FILTER (WHERE a.collector <> 'file' AND a.is_in_use), 0) AS on_day
    FROM accounts AS a
    WHERE a.district_id = d.district_id
) AS due
WHERE d.district_id = $1;

-- is_in_maintenance --
-- Whether the district works on its fleet now, or did on the judged day. Parameters: district, now, the start and the
-- end of the day.
SELECT EXISTS (
    SELECT
    FROM maintenance_windows AS m
    WHERE m.district_id = $1
        AND (($2::timestamptz >= m.starts_at AND $2 < m.ends_at) OR (m.starts_at < $4 AND m.ends_at > $3))
);

-- is_partly_told --
-- Whether some of what sources have to say of the judged day is still to come: one was read last while the day went
-- on, or before its provider had all of it, or what it said is not computed yet.
-- Parameters: district, the day, its start and its end.
SELECT
    EXISTS (
        SELECT
        FROM watermarks AS w
        JOIN accounts AS a USING (district_id, account_id)
        WHERE w.district_id = $1 AND a.is_in_use AND a.collector <> 'file'
            AND w.last_success_at >= $3::timestamptz
            AND w.last_success_at < $4::timestamptz + make_interval(days => a.lag_days)
    )
    OR EXISTS (SELECT FROM dirty_loan_days AS o WHERE o.district_id = $1 AND o.on_day <= $2)
    OR EXISTS (SELECT FROM dirty_line_days AS o WHERE o.district_id = $1 AND o.on_day <= $2);

-- prepare_judging --
-- Rows that a rule finds, kept to the end of the transaction.
CREATE TEMP TABLE IF NOT EXISTS judged (
    subject      text NOT NULL,
    school_id    bigint,
    since_at     timestamptz,
    value        double precision,
    details      jsonb NOT NULL,
    is_breached  boolean  -- NULL: not known
) ON COMMIT DELETE ROWS;

-- forget_judged --
-- What another rule, or another day, left in the same transaction.
DELETE FROM judged;

-- begin_judging --
-- To the end of the transaction: the memory that joins may take before they go to disk; no compiling, which takes
-- longer than it saves; and plans made for what is there, as the kept rows of one rule are none and a million of another.
SELECT
    set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_nestloop', 'on', true);

-- join_judged --
-- To the end of the transaction, no nested loops: what is joined from here on is as large as what was judged, which the
-- planner cannot know. And general plans: foreign keys are checked row by row, and by a plan made for a district whose
-- first rows are not counted yet any index seems as good as the right one.
SELECT set_config('enable_nestloop', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);

-- guard_rule --
-- To the end of the savepoint nothing but temporary tables can be written; to that of the transaction no statement
-- takes longer than told. Parameters: milliseconds.
SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', $1, true);

-- unguard_rule --
-- As long as the session lets statements take.
SET LOCAL statement_timeout TO DEFAULT;

-- judge_rule --
-- Keep what a rule's query finds: the subjects in breach, and whatever it says of subjects whose alert is open. Where
-- nothing is judged about families, or their school has a break on the judged day, nothing is known.
-- Parameters: the rule's own (district, judged day, now, threshold, clock), then its name, whether it is about a family,
-- and whether nothing is judged about these now. The query stands in the place of the note.
WITH asked AS (
    SELECT $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, $6::text, $7::boolean, $8::boolean
)
INSERT INTO judged (subject, school_id, since_at, value, details, is_breached)
SELECT
    r.subject, r.school_id, CASE WHEN r.since_at > $3 THEN $3 WHEN isfinite(r.since_at) THEN r.since_at END, r.value,
    coalesce(r.details, '{}'),
    CASE WHEN NOT ($7 AND $8) AND d.school_id IS NULL THEN r.is_breached END
FROM (
    SELECT q.subject, q.school_id, q.since_at, q.value, q.details, q.is_breached
    FROM (
/* the rule's query */
    ) AS q
    OFFSET 0
) AS r
LEFT JOIN school_days AS d ON $7 AND d.district_id = $1 AND d.on_day = $2 AND d.school_id = r.school_id
    AND d.is_out_of_session
LEFT JOIN alerts AS o ON o.district_id = $1 AND o.rule = $6 AND o.subject = r.subject AND o.state <> 'clear'
WHERE o.alert_id IS NOT NULL OR (r.is_breached AND NOT ($7 AND $8) AND d.school_id IS NULL);

-- judged_subjects --
-- How many subjects are in breach, of how many too little is known, and how often at most one was told.
SELECT
    coalesce(sum(s.breached), 0)::integer AS breached,
    coalesce(sum(s.unjudged), 0)::integer AS unjudged,
    coalesce(max(s.times), 0)::integer AS times
FROM (
    SELECT
        count(*) AS times, count(*) FILTER (WHERE is_breached) AS breached,
        count(*) FILTER (WHERE is_breached IS NULL) AS unjudged
    FROM judged
    GROUP BY subject
) AS s;

-- move_alerts --
-- Carry a rule's alerts on by what was judged; returns how many flips that made. An alert that somebody acts on at the
-- same moment is left to the next time. Each step is kept, as what it says would else be written out in every later
-- one, and planning takes longer than all the rest. Parameters: district, rule, now, the judged day, the present local
-- day, severity, how long a breach lasts before it fires, how long its end before it clears, after how long a reminder
-- (NULL: none), an escalation (NULL: none), threshold, unit, clock; how many firings within how long are too many, and
-- for how long an alert that came and went so often has to be steady; whether the rule is about a family, and whether
-- nothing is judged about these now.
WITH found AS MATERIALIZED (
    SELECT
        a.alert_id, a.version, coalesce(a.subject, j.subject) AS subject, coalesce(a.state, 'clear') AS state,
        a.school_id, a.breached_since_at, a.clear_since_at, a.fired_at, a.value, a.details, a.acknowledged_at,
        a.snoozed_until_at, a.reminded_at, a.escalated_at,
        j.subject IS NULL AS is_missing, j.is_breached AS told_is_breached,
        j.subject IS NOT NULL AND j.is_breached IS NOT NULL AS is_told,
        j.school_id AS told_school_id, j.since_at AS told_since_at, j.value AS told_value, j.details AS told_details,
        j.subject IS NULL AND CASE split_part(a.subject, ':', 1)
            WHEN 'loan' THEN NOT EXISTS (
                SELECT
                FROM loans AS l
                WHERE l.district_id = $1
                    AND l.loan_id = CASE WHEN a.subject ~ '^loan:\d{1,18}$' THEN split_part(a.subject, ':', 2)::bigint END
                    AND (l.returned_on IS NULL OR l.returned_on > $5::date)
            )
            WHEN 'account' THEN NOT EXISTS (
                SELECT
                FROM accounts AS c
                WHERE c.district_id = $1 AND c.account_key = split_part(a.subject, ':', 2) AND c.is_in_use
            )
            ELSE false
        END AS is_gone,
        CASE WHEN j.is_breached AND a.state IN ('clear', 'pending') THEN (
            SELECT count(*)
            FROM flips AS f
            WHERE f.district_id = $1 AND f.alert_id = a.alert_id AND f.kind = 'fired'
                AND f.created_at > $3::timestamptz - $15::interval
        ) ELSE 0 END AS firings
    FROM (
        SELECT b.*, b.xmin AS version
        FROM alerts AS b
        WHERE b.district_id = $1 AND b.rule = $2::text
    ) AS a
    FULL JOIN judged AS j ON j.subject = a.subject
    WHERE (a.state <> 'clear' OR j.is_breached)
        -- most alerts go on firing with nothing new to tell: these are left out at once
        AND (
            a.state = 'firing' AND j.is_breached AND a.is_judged AND a.clear_since_at IS NULL
            AND a.snoozed_until_at IS NULL AND a.severity = $6::text AND a.details = j.details
            AND a.school_id IS NOT DISTINCT FROM j.school_id AND a.value IS NOT DISTINCT FROM j.value
            AND a.breached_since_at <= coalesce(j.since_at, a.breached_since_at)
            AND (
                a.acknowledged_at IS NOT NULL
                OR coalesce($3 - greatest(a.fired_at, a.reminded_at) < $9::interval, true)
                    AND (a.escalated_at IS NOT NULL OR coalesce($3 - a.fired_at < $10::interval, true))
            )
        ) IS NOT TRUE
),
met AS MATERIALIZED (
    -- what is not in breach is told by saying nothing; where nothing is judged, that says nothing
    SELECT
        o.*,
        CASE
            WHEN NOT o.is_missing THEN o.told_is_breached
            WHEN o.is_gone OR NOT $17::boolean THEN false
            WHEN NOT $18::boolean AND d.school_id IS NULL THEN false
        END AS is_breached
    FROM found AS o
    LEFT JOIN school_days AS d ON $17 AND o.is_missing AND d.district_id = $1 AND d.on_day = $4 AND d.is_out_of_session
        AND d.school_id = o.school_id
),
timed AS MATERIALIZED (
    -- an alert that is held is in breach since the judgement that first said so: how long it has been steady counts.
    -- One that fires has been in breach for at least as long: facts of a day, or of the days before it, begin later each day
    SELECT
        m.*,
        CASE
            WHEN NOT coalesce(m.is_breached, false) THEN m.breached_since_at
            WHEN m.state = 'held' THEN CASE WHEN m.clear_since_at IS NULL THEN m.breached_since_at ELSE $3 END
            WHEN m.state = 'firing' THEN least(m.breached_since_at, m.told_since_at)
            WHEN m.told_since_at IS NOT NULL THEN m.told_since_at
            WHEN m.state = 'pending' THEN m.breached_since_at
            ELSE $3
        END AS new_breached_since_at,
        CASE WHEN m.is_breached THEN NULL WHEN m.is_breached IS NULL THEN m.clear_since_at
            ELSE coalesce(m.clear_since_at, $3) END AS new_clear_since_at
    FROM met AS m
),
stated AS MATERIALIZED (
    SELECT
        t.*,
        CASE
            WHEN t.is_breached IS NULL THEN t.state
            WHEN t.is_breached AND t.state = 'held' AND $3 - t.new_breached_since_at >= $16::interval THEN 'firing'
            WHEN t.is_breached AND t.state IN ('firing', 'held') THEN t.state
            WHEN t.is_breached AND $3 - t.new_breached_since_at < $7::interval THEN 'pending'
            WHEN t.is_breached AND t.firings >= $14::bigint THEN 'held'
            WHEN t.is_breached THEN 'firing'
            WHEN t.is_gone OR t.state = 'pending' THEN 'clear'
            WHEN t.state = 'held' AND $3 - t.new_clear_since_at >= $16 THEN 'clear'
            WHEN t.state = 'firing' AND $3 - t.new_clear_since_at >= $8::interval THEN 'clear'
            ELSE t.state
        END::alert_state AS new_state
    FROM timed AS t
),
flipped AS MATERIALIZED (
    SELECT
        s.*,
        CASE
            WHEN s.new_state = 'held' AND s.state <> 'held' THEN 'held'
            WHEN s.new_state = 'clear' AND s.state IN ('firing', 'held') AND s.is_gone THEN 'cleared'
            WHEN s.state = 'held' AND s.new_state <> 'held' THEN 'released'
            WHEN s.new_state = 'firing' AND s.state <> 'firing' THEN 'fired'
            WHEN s.new_state = 'clear' AND s.state = 'firing' THEN 'cleared'
            WHEN NOT coalesce(s.is_breached, false) OR s.new_state NOT IN ('firing', 'held') THEN NULL
            WHEN s.snoozed_until_at <= $3 THEN 'woken'
            WHEN s.snoozed_until_at IS NOT NULL OR s.acknowledged_at IS NOT NULL OR s.new_state = 'held' THEN NULL
            WHEN s.escalated_at IS NULL AND $3 > s.fired_at AND $3 - greatest(s.fired_at, (
                SELECT max(f.created_at)
                FROM flips AS f
                WHERE f.district_id = $1 AND f.alert_id = s.alert_id AND f.kind IN ('woken', 'unacknowledged')
            )) >= $10::interval THEN 'escalated'
            WHEN $9::interval > interval '0' AND $3 - greatest(s.fired_at, s.reminded_at) >= $9 THEN 'reminded'
        END::flip_kind AS kind
    FROM stated AS s
),
moved AS MATERIALIZED (
    SELECT
        f.alert_id, f.version, f.subject, f.state, f.new_state, f.kind,
        CASE
            WHEN f.kind = 'fired' THEN 'breach'
            WHEN f.kind = 'held' THEN 'flapping'
            WHEN f.kind = 'released' THEN CASE WHEN f.new_state = 'clear' THEN 'steady_clear' ELSE 'steady_breach' END
            WHEN f.kind = 'cleared' AND f.is_gone THEN 'gone'
            WHEN f.kind = 'cleared' AND f.told_details ? 'taken_over_by' THEN 'taken_over'
            WHEN f.kind = 'cleared' THEN 'recovered'
            WHEN f.kind = 'woken' THEN 'snooze_over'
            WHEN f.kind = 'escalated' THEN 'unacknowledged'
            WHEN f.kind = 'reminded' THEN 'still_in_breach'
        END AS reason,
        CASE WHEN f.is_breached THEN f.told_school_id ELSE f.school_id END AS school_id,
        f.is_breached IS NOT NULL AS is_judged,
        CASE
            WHEN f.is_breached AND f.state <> 'firing' THEN coalesce(f.told_since_at, f.new_breached_since_at)
            ELSE f.new_breached_since_at
        END AS since_at,
        CASE
            WHEN f.kind = 'held' THEN $3
            WHEN f.kind = 'released' AND f.is_breached THEN coalesce(f.told_since_at, f.new_breached_since_at)
            ELSE f.new_breached_since_at
        END AS breached_since_at,
        CASE WHEN f.new_state <> 'clear' THEN f.new_clear_since_at END AS clear_since_at,
        CASE WHEN f.new_state = 'firing' AND f.kind IN ('fired', 'released') THEN $3 ELSE f.fired_at END AS fired_at,
        CASE WHEN f.is_told THEN f.told_value ELSE f.value END AS value,
        CASE WHEN f.is_told THEN f.told_details ELSE f.details END AS details,
        CASE WHEN f.new_state <> 'clear' THEN f.acknowledged_at END AS acknowledged_at,
        CASE WHEN f.new_state <> 'clear' AND f.kind IS DISTINCT FROM 'woken' THEN f.snoozed_until_at
            END AS snoozed_until_at,
        CASE WHEN f.kind IN ('woken', 'escalated', 'reminded') THEN $3
            WHEN f.new_state <> 'clear' AND f.kind IS DISTINCT FROM 'fired' THEN f.reminded_at END AS reminded_at,
        CASE WHEN f.kind = 'escalated' THEN $3
            WHEN f.new_state <> 'clear' AND f.kind IS DISTINCT FROM 'fired' THEN f.escalated_at END AS escalated_at
    FROM flipped AS f
),
changed AS (
    UPDATE alerts AS a
    SET school_id = m.school_id, state = m.new_state, severity = $6, is_judged = m.is_judged,
        breached_since_at = m.breached_since_at, clear_since_at = m.clear_since_at, fired_at = m.fired_at,
        judged_at = $3, value = m.value, details = m.details, acknowledged_at = m.acknowledged_at,
        snoozed_until_at = m.snoozed_until_at, reminded_at = m.reminded_at, escalated_at = m.escalated_at
    FROM moved AS m
    WHERE a.district_id = $1 AND a.alert_id = m.alert_id AND a.xmin = m.version
        AND (a.school_id, a.state, a.severity, a.is_judged, a.breached_since_at, a.clear_since_at, a.fired_at, a.value,
             a.details, a.acknowledged_at, a.snoozed_until_at, a.reminded_at, a.escalated_at)
            IS DISTINCT FROM
            (m.school_id, m.new_state, $6::text, m.is_judged, m.breached_since_at, m.clear_since_at, m.fired_at,
             m.value, m.details, m.acknowledged_at, m.snoozed_until_at, m.reminded_at, m.escalated_at)
    RETURNING a.alert_id, a.subject
),
made AS (
    INSERT INTO alerts (
        district_id, rule, subject, school_id, state, severity, breached_since_at, fired_at, judged_at, value, details
    )
    SELECT $1, $2, m.subject, m.school_id, m.new_state, $6, m.breached_since_at, m.fired_at, $3, m.value, m.details
    FROM moved AS m
    WHERE m.alert_id IS NULL
    ON CONFLICT (district_id, rule, subject) DO NOTHING
    RETURNING alert_id, subject
),
told AS (
    INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, created_at)
    SELECT
        $1, c.alert_id, m.kind, m.state, m.new_state, m.reason,
        jsonb_strip_nulls(jsonb_build_object(
            'value', m.value, 'threshold', $11::double precision, 'unit', nullif($12::text, ''), 'clock', $13::text,
            'since', m.since_at, 'judged_on', $4::date
        )) || jsonb_build_object('details', m.details),
        $3
    FROM moved AS m
    JOIN (SELECT alert_id, subject FROM changed UNION ALL SELECT alert_id, subject FROM made) AS c USING (subject)
    WHERE m.kind IS NOT NULL
    ORDER BY c.alert_id
    RETURNING flip_id
)
SELECT count(*)::integer FROM told;

-- keep_rule_run --
-- Parameters: district, rule, now, the judged day, seconds, subjects in breach, subjects of which too little is known
-- (NULL, both: the run failed, what it said before stays), and what went wrong (NULL: nothing).
INSERT INTO rule_runs AS o (
    district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged, failing_since_at, error
)
VALUES (
    $1, $2, $3, $4, $5, coalesce($6, 0), coalesce($7, 0), CASE WHEN $8::text IS NOT NULL THEN $3::timestamptz END, $8
)
ON CONFLICT (district_id, rule) DO UPDATE
SET evaluated_at = excluded.evaluated_at, judged_on = excluded.judged_on, seconds = excluded.seconds,
    breached = coalesce($6, o.breached), unjudged = coalesce($7, o.unjudged),
    failing_since_at = CASE WHEN $8 IS NOT NULL THEN coalesce(o.failing_since_at, $3) END, error = $8
RETURNING
    district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged, failing_since_at, error;

-- unjudge_alerts --
-- Nothing is known of the open alerts of a rule. Parameters: district, rule, now.
UPDATE alerts SET is_judged = false, judged_at = $3
WHERE district_id = $1 AND rule = $2 AND state <> 'clear' AND is_judged;

-- clear_rules_off --
-- Clear what is open of rules that are no longer in force; returns how many flips that made.
-- Parameters: district, the rules in force, now.
WITH standing AS (
    SELECT a.alert_id, a.state, a.value, a.breached_since_at, a.details
    FROM alerts AS a
    WHERE a.district_id = $1 AND a.rule <> ALL ($2::text[]) AND a.state <> 'clear'
    FOR UPDATE
),
changed AS (
    UPDATE alerts AS a
    SET state = 'clear', clear_since_at = NULL, judged_at = $3, acknowledged_at = NULL, snoozed_until_at = NULL,
        reminded_at = NULL, escalated_at = NULL
    FROM standing AS s
    WHERE a.district_id = $1 AND a.alert_id = s.alert_id
),
told AS (
    INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, created_at)
    SELECT
        $1, s.alert_id, 'cleared', s.state, 'clear', 'rule_off',
        jsonb_strip_nulls(jsonb_build_object('value', s.value, 'since', s.breached_since_at))
            || jsonb_build_object('details', s.details),
        $3
    FROM standing AS s
    WHERE s.state <> 'pending'
    ORDER BY s.alert_id
    RETURNING flip_id
)
SELECT count(*)::integer FROM told;

-- drop_runs_of_rules_off --
-- Parameters: district, the rules in force.
DELETE FROM rule_runs WHERE district_id = $1 AND rule <> ALL ($2::text[]);

-- drop_maintenance --
-- What is over stays, as the day after is still judged by it. Parameters: district, now.
DELETE FROM maintenance_windows WHERE district_id = $1 AND ends_at > $2;

-- keep_maintenance --
-- Parameters: district; the starts, the ends and the accounts ('': everything) of its windows.
INSERT INTO maintenance_windows (district_id, starts_at, ends_at, account_key)
SELECT $1, w.starts_at, max(w.ends_at), w.account_key
FROM unnest($2::timestamptz[], $3::timestamptz[], $4::text[]) AS w (starts_at, ends_at, account_key)
GROUP BY w.starts_at, w.account_key
ON CONFLICT (district_id, starts_at, account_key) DO UPDATE SET ends_at = excluded.ends_at;

-- listed_alerts --
-- The most severe first, then the oldest. Parameters: district, rule (NULL: every), NCES id of the school (NULL: every,
-- and those of no school), states, how many at most.
SELECT
    a.district_id, a.alert_id, a.rule, a.subject, a.school_id, s.ncessch, s.name AS school, a.state::text AS state,
    a.severity, a.is_judged, a.breached_since_at, a.clear_since_at, a.fired_at, a.judged_at, a.value, a.details,
    a.acknowledged_at, a.snoozed_until_at, a.reminded_at, a.escalated_at
FROM alerts AS a
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE a.district_id = $1 AND ($2::text IS NULL OR a.rule = $2) AND ($3::text IS NULL OR s.ncessch = $3)
    AND a.state = ANY ($4::alert_state[])
ORDER BY
    array_position(ARRAY['critical', 'high', 'warning', 'info'], a.severity), a.breached_since_at, a.alert_id
LIMIT $5;

-- one_alert --
-- Parameters: district, alert.
SELECT
    a.district_id, a.alert_id, a.rule, a.subject, a.school_id, s.ncessch, s.name AS school, a.state::text AS state,
    a.severity, a.is_judged, a.breached_since_at, a.clear_since_at, a.fired_at, a.judged_at, a.value, a.details,
    a.acknowledged_at, a.snoozed_until_at, a.reminded_at, a.escalated_at
FROM alerts AS a
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE a.district_id = $1 AND a.alert_id = $2;

-- has_alerts_of_rule --
-- Whether there is, or ever was, an alert of a rule. Parameters: district, rule.
SELECT EXISTS (SELECT FROM alerts WHERE district_id = $1 AND rule = $2);

-- named_schools --
-- Every school of the district, by name. Parameters: district.
SELECT ncessch, name FROM schools WHERE district_id = $1 ORDER BY name, ncessch;

-- alert_identifiers --
-- What names the device and the lines that an alert is about: for the terminal alone. A loan or a device with the lines
-- that are in it now, a line with the device that it is in now. Parameters: district, kind of subject, its number.
WITH held AS (
    SELECT device_id FROM loans WHERE district_id = $1 AND loan_id = $3::bigint AND $2::text = 'loan'
    UNION ALL
    SELECT device_id FROM devices WHERE district_id = $1 AND device_id = $3 AND $2 = 'device'
),
named AS (
    SELECT h.device_id, k.line_id
    FROM held AS h
    LEFT JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = h.device_id AND k.ends_at IS NULL
    UNION ALL
    SELECT k.device_id, n.line_id
    FROM lines AS n
    LEFT JOIN line_device_links AS k ON k.district_id = $1 AND k.line_id = n.line_id AND k.ends_at IS NULL
    WHERE n.district_id = $1 AND n.line_id = $3 AND $2 = 'line'
)
SELECT q.device_id, q.line_id, d.imei, d.serial, n.iccid, n.mdn
FROM named AS q
LEFT JOIN devices AS d ON d.district_id = $1 AND d.device_id = q.device_id
LEFT JOIN lines AS n ON n.district_id = $1 AND n.line_id = q.line_id
ORDER BY q.line_id;

-- alert_history --
-- Every change of an alert, the oldest first. Parameters: district, alert.
SELECT
    district_id, flip_id, alert_id, kind::text AS kind, old_state::text AS old_state, new_state::text AS new_state,
    reason, evidence, actor, created_at, processed_at
FROM flips
WHERE district_id = $1 AND alert_id = $2
ORDER BY flip_id;

-- rule_runs_of_district --
-- What every rule said when it last ran. Parameters: district.
SELECT district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged, failing_since_at, error
FROM rule_runs
WHERE district_id = $1
ORDER BY rule;

-- acknowledge_alert --
-- Parameters: district, alert, now, who.
WITH changed AS (
    UPDATE alerts SET acknowledged_at = $3
    WHERE district_id = $1 AND alert_id = $2 AND state IN ('firing', 'held') AND acknowledged_at IS NULL
    RETURNING district_id, alert_id, state
)
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, actor, created_at)
SELECT district_id, alert_id, 'acknowledged', state, state, 'by_hand', $4, $3 FROM changed
RETURNING flip_id;

-- unacknowledge_alert --
-- Parameters: district, alert, now, who.
WITH changed AS (
    UPDATE alerts SET acknowledged_at = NULL, reminded_at = $3
    WHERE district_id = $1 AND alert_id = $2 AND state IN ('firing', 'held') AND acknowledged_at IS NOT NULL
    RETURNING district_id, alert_id, state
)
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, actor, created_at)
SELECT district_id, alert_id, 'unacknowledged', state, state, 'by_hand', $4, $3 FROM changed
RETURNING flip_id;

-- snooze_alert --
-- Parameters: district, alert, now, who, until when.
WITH changed AS (
    UPDATE alerts SET snoozed_until_at = $5
    WHERE district_id = $1 AND alert_id = $2 AND state IN ('firing', 'held')
        AND snoozed_until_at IS DISTINCT FROM $5::timestamptz
    RETURNING district_id, alert_id, state
)
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, actor, created_at)
SELECT district_id, alert_id, 'snoozed', state, state, 'by_hand', jsonb_build_object('until', $5), $4, $3 FROM changed
RETURNING flip_id;

-- wake_alert --
-- Parameters: district, alert, now, who.
WITH changed AS (
    UPDATE alerts SET snoozed_until_at = NULL, reminded_at = $3
    WHERE district_id = $1 AND alert_id = $2 AND state IN ('firing', 'held') AND snoozed_until_at IS NOT NULL
    RETURNING district_id, alert_id, state
)
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, actor, created_at)
SELECT district_id, alert_id, 'woken', state, state, 'by_hand', $4, $3 FROM changed
RETURNING flip_id;

-- begin_trial --
-- To the end of the transaction, alerts and flips of its own, empty at first, go before those that are kept; and what
-- was planned with those is forgotten.
CREATE TEMP TABLE alerts (LIKE alerts INCLUDING ALL) ON COMMIT DROP;
CREATE TEMP TABLE flips (LIKE flips INCLUDING ALL) ON COMMIT DROP;
DISCARD PLANS;

-- trial_flips --
-- What a rule did at an instant, by school. Parameters: district, rule, the instant.
SELECT s.ncessch, s.name AS school, f.kind::text AS kind, count(*)::integer AS count
FROM flips AS f
JOIN alerts AS a USING (district_id, alert_id)
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE f.district_id = $1 AND a.rule = $2 AND f.created_at = $3
GROUP BY s.ncessch, s.name, f.kind;

-- trial_open --
-- How many alerts of a rule are open. Parameters: district, rule.
SELECT count(*)::integer FROM alerts WHERE district_id = $1 AND rule = $2 AND state IN ('firing', 'held');
