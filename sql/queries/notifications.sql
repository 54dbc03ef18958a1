-- lock_notifications --
-- One process at a time puts a district's flips into notifications; until the end of the transaction. False: another does.
-- Parameters: district.
SELECT pg_try_advisory_xact_lock(1634034294, $1);

-- queue_flips --
-- Put the oldest unprocessed flips into notifications: one for each channel and topic, joining one that waits and was not
-- tried yet. Returns how many flips were looked at, how many concerned a channel, and how many notifications are new.
-- Who is told: the channels of the rule's owner; an escalated alert's also of the coordinator and IT; of a channel that
-- fails, any other. Where no channel is the owner's, the coordinator's, or else IT's. An end is told where its beginning was.
-- Parameters: district; now; rules (JSON: name, owner, urgency); channels (JSON: key, roles, schools, severities, digest);
-- due_at of critical, now, daily and weekly (JSON); how many flips at most.
WITH rules AS (
    SELECT name, owner, urgency FROM jsonb_to_recordset($3::text::jsonb) AS r (name text, owner text, urgency text)
),
channels AS (
    SELECT key, roles, schools, severities, digest
    FROM jsonb_to_recordset($4::text::jsonb)
        AS c (key text, roles text[], schools text[], severities text[], digest text)
),
taken AS (
    SELECT
        f.flip_id, f.alert_id, f.kind, a.rule, a.subject, a.school_id, a.severity, s.ncessch,
        coalesce(r.owner, 'it') AS owner, coalesce(r.urgency, 'daily') AS urgency,
        -- what people do themselves is no news to them, nor is the end of what never fired
        f.kind NOT IN ('acknowledged', 'unacknowledged', 'snoozed')
        AND NOT (f.kind = 'woken' AND f.actor <> 'afterbell')
        -- and where a graver rule takes over, that one speaks: nothing is over
        AND NOT (f.kind = 'cleared' AND (f.old_state = 'pending' OR f.reason = 'taken_over')) AS is_told,
        f.new_state = 'clear' AS is_end
    FROM flips AS f
    JOIN alerts AS a USING (district_id, alert_id)
    LEFT JOIN schools AS s USING (district_id, school_id)
    LEFT JOIN rules AS r ON r.name = a.rule
    WHERE f.district_id = $1 AND f.processed_at IS NULL
    ORDER BY f.flip_id
    LIMIT $6
),
begun AS (
    -- how near each channel is to an alert's owner: 1 is meant, 2 and 3 stand in
    SELECT
        t.*, c.key AS channel_key, c.severities, c.digest,
        'school' = t.owner AND 'school' = ANY (c.roles) AND t.school_id IS NOT NULL AS is_by_school,
        CASE
            WHEN t.rule = 'channel_failing' AND t.subject = 'channel:' || c.key THEN NULL
            WHEN t.rule = 'channel_failing' THEN CASE WHEN 'it' = ANY (c.roles) THEN 1 ELSE 2 END
            WHEN t.owner = ANY (c.roles) AND (t.owner <> 'school' OR t.school_id IS NOT NULL) THEN 1
            WHEN t.kind = 'escalated' AND c.roles && ARRAY['coordinator', 'it'] THEN 1
            WHEN 'coordinator' = ANY (c.roles) THEN 2
            WHEN 'it' = ANY (c.roles) THEN 3
        END AS distance
    FROM taken AS t
    CROSS JOIN channels AS c
    WHERE t.is_told AND NOT t.is_end
        AND (c.schools = '{}' OR t.ncessch IS NULL OR t.ncessch = ANY (c.schools))
),
nearest AS (
    SELECT flip_id, min(distance) AS distance FROM begun GROUP BY flip_id
),
beginnings AS (
    SELECT b.* FROM begun AS b JOIN nearest USING (flip_id, distance) WHERE b.severity = ANY (b.severities)
),
ends AS (
    SELECT
        t.flip_id, t.alert_id,
        coalesce(
            (SELECT max(e.flip_id) FROM flips AS e
            WHERE e.district_id = $1 AND e.alert_id = t.alert_id AND e.new_state = 'clear' AND e.flip_id < t.flip_id),
            0
        ) AS after_flip_id
    FROM taken AS t
    WHERE t.is_told AND t.is_end
),
ends_told AS (
    -- where the same alert was told of since it was last over; not before what is still being tried has told that
    SELECT u.flip_id, u.channel_key, max(u.tried_at) AS not_before_at
    FROM (
        SELECT
            e.flip_id, n.channel_key, CASE WHEN n.state = 'waiting' AND n.attempts > 0 THEN n.due_at END AS tried_at
        FROM ends AS e
        JOIN flips AS f ON f.district_id = $1 AND f.alert_id = e.alert_id
            AND f.flip_id > e.after_flip_id AND f.flip_id < e.flip_id
        JOIN notification_flips AS nf ON nf.district_id = $1 AND nf.flip_id = f.flip_id
        JOIN notifications AS n ON n.district_id = $1 AND n.notification_id = nf.notification_id
            AND n.state <> 'given_up'
        UNION ALL
        SELECT e.flip_id, b.channel_key, NULL
        FROM ends AS e
        JOIN beginnings AS b ON b.alert_id = e.alert_id AND b.flip_id > e.after_flip_id AND b.flip_id < e.flip_id
    ) AS u
    GROUP BY u.flip_id, u.channel_key
),
routed AS (
    SELECT
        flip_id, kind, rule, school_id, severity, urgency, channel_key, digest, is_by_school,
        NULL::timestamptz AS not_before_at
    FROM beginnings
    UNION ALL
    SELECT
        t.flip_id, t.kind, t.rule, t.school_id, t.severity, t.urgency, c.key, c.digest,
        'school' = t.owner AND 'school' = ANY (c.roles) AND t.school_id IS NOT NULL, e.not_before_at
    FROM ends_told AS e
    JOIN taken AS t USING (flip_id)
    JOIN channels AS c ON c.key = e.channel_key
),
urgent AS (
    SELECT
        r.*,
        CASE
            WHEN r.digest = 'none' THEN 'now'
            WHEN r.digest IN ('daily', 'weekly') AND r.severity <> 'critical' THEN r.digest
            WHEN r.kind = 'escalated' THEN 'now'
            ELSE r.urgency
        END AS when_told
    FROM routed AS r
),
timed AS (
    SELECT
        u.flip_id, u.channel_key, u.not_before_at,
        CASE
            WHEN u.when_told = 'daily' THEN 'digest:daily'
            WHEN u.when_told = 'weekly' THEN 'digest:weekly' || CASE WHEN u.is_by_school THEN '@' || u.school_id ELSE '' END
            ELSE 'rule:' || u.rule || CASE WHEN u.is_by_school THEN '@' || u.school_id ELSE '' END
        END AS topic,
        (
            $5::text::jsonb
            ->> CASE WHEN u.when_told = 'now' AND u.severity = 'critical' THEN 'critical' ELSE u.when_told END
        )::timestamptz AS due_at
    FROM urgent AS u
),
grouped AS (
    SELECT
        channel_key, topic, greatest(min(due_at), max(not_before_at)) AS due_at, max(not_before_at) AS not_before_at,
        min(flip_id) AS first_flip_id
    FROM timed
    GROUP BY channel_key, topic
),
waiting AS (
    -- one that was tried may have arrived: it stays as it was
    SELECT n.notification_id, n.channel_key, n.topic
    FROM notifications AS n
    WHERE n.district_id = $1 AND n.state = 'waiting' AND n.attempts = 0
        AND (n.channel_key, n.topic) IN (SELECT g.channel_key, g.topic FROM grouped AS g)
    FOR UPDATE
),
moved AS (
    UPDATE notifications AS n SET due_at = greatest(least(n.due_at, g.due_at), g.not_before_at)
    FROM waiting AS w JOIN grouped AS g USING (channel_key, topic)
    WHERE n.district_id = $1 AND n.notification_id = w.notification_id
        AND (n.due_at > g.due_at OR n.due_at < g.not_before_at)
),
made AS (
    INSERT INTO notifications (district_id, channel_key, first_flip_id, topic, due_at, created_at)
    SELECT $1, g.channel_key, g.first_flip_id, g.topic, g.due_at, $2
    FROM grouped AS g
    LEFT JOIN waiting AS w USING (channel_key, topic)
    WHERE w.notification_id IS NULL
    ORDER BY g.first_flip_id, g.channel_key
    RETURNING notification_id, channel_key, topic
),
joined AS (
    INSERT INTO notification_flips (district_id, notification_id, flip_id)
    SELECT $1, n.notification_id, t.flip_id
    FROM timed AS t
    JOIN (SELECT * FROM waiting UNION ALL SELECT * FROM made) AS n USING (channel_key, topic)
),
processed AS (
    UPDATE flips AS f SET processed_at = $2
    FROM taken AS t
    WHERE f.district_id = $1 AND f.flip_id = t.flip_id
    RETURNING f.flip_id
)
SELECT
    (SELECT count(*) FROM processed) AS flips,
    (SELECT count(DISTINCT flip_id) FROM timed) AS told,
    (SELECT count(*) FROM made) AS notifications;

-- claim_notification --
-- Take one that is due and that nobody is sending; no other process gets it before the claim runs out.
-- Parameters: district, now, until when, channels that are not to be tried now.
UPDATE notifications AS n
SET claimed_until_at = $3, attempts = n.attempts + 1
FROM flips AS f
WHERE n.district_id = $1 AND f.district_id = $1 AND f.flip_id = n.first_flip_id
    AND n.notification_id = (
        SELECT w.notification_id
        FROM notifications AS w
        WHERE w.district_id = $1 AND w.state = 'waiting' AND w.due_at <= $2
            AND (w.claimed_until_at IS NULL OR w.claimed_until_at <= $2)
            AND w.channel_key <> ALL ($4::text[])
        ORDER BY w.due_at, w.notification_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING
    n.district_id, n.notification_id, n.channel_key, n.topic, n.attempts, n.first_flip_id,
    f.created_at AS first_flip_at;

-- notification_content --
-- What a notification tells: by rule, by what became of the alerts, by school. Schools with fewer in need than the minimum,
-- or of unknown need, come without a name, all in one row (is_small tells which of the two), and without values.
-- Parameters: district, notification, minimum cell size.
WITH told AS (
    SELECT
        f.alert_id,
        bool_or(f.kind IN ('fired', 'released') AND f.new_state = 'firing') AS has_begun,
        bool_or(f.kind = 'escalated') AS is_escalated,
        (array_agg(f.kind ORDER BY f.flip_id DESC))[1] AS last_kind,
        (array_agg(f.new_state ORDER BY f.flip_id DESC))[1] = 'clear' AS is_over,
        (array_agg(f.reason ORDER BY f.flip_id DESC))[1] AS reason,
        (array_agg(f.evidence ORDER BY f.flip_id DESC))[1] AS evidence,
        max(f.created_at) AS flipped_at
    FROM notification_flips AS nf
    JOIN flips AS f USING (district_id, flip_id)
    WHERE nf.district_id = $1 AND nf.notification_id = $2
    GROUP BY f.alert_id
),
needs AS (
    SELECT school_id, need FROM school_days
    WHERE district_id = $1 AND on_day = (SELECT max(on_day) FROM school_days WHERE district_id = $1)
),
judged AS (
    SELECT
        a.rule, t.alert_id, t.reason, t.flipped_at, a.severity, a.school_id,
        CASE
            WHEN t.is_over AND t.has_begun THEN 'passed'
            WHEN t.is_over THEN 'resolved'
            WHEN t.last_kind = 'held' THEN 'held'
            WHEN t.has_begun THEN 'new'
            WHEN t.is_escalated THEN 'escalated'
            ELSE 'still'
        END AS outcome,
        coalesce((t.evidence ->> 'since')::timestamptz, a.breached_since_at) AS since_at,
        (t.evidence ->> 'value')::double precision AS value,
        a.school_id IS NULL OR coalesce(n.need >= $3, $3 = 0) AS is_named,
        n.need < $3 AS is_small,
        s.name
    FROM told AS t
    JOIN alerts AS a ON a.district_id = $1 AND a.alert_id = t.alert_id
    LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = a.school_id
    LEFT JOIN needs AS n ON n.school_id = a.school_id
)
SELECT
    rule, outcome,
    CASE WHEN is_named THEN name END AS school,
    CASE WHEN is_named THEN school_id END AS school_id,
    school_id IS NOT NULL AS is_of_school,
    CASE WHEN is_named THEN NULL ELSE coalesce(is_small, false) END AS is_small,
    count(DISTINCT judged.school_id) AS schools,
    count(*) AS alerts,
    min(alert_id) AS alert_id,
    min(since_at) AS since_at,
    max(since_at) AS latest_since_at,
    max(flipped_at) AS flipped_at,
    CASE WHEN is_named THEN min(value) END AS least,
    CASE WHEN is_named THEN max(value) END AS most,
    array_agg(DISTINCT severity) AS severities,
    array_agg(DISTINCT reason) AS reasons
FROM judged
GROUP BY rule, outcome, is_named, 3, 4, 5, 6
ORDER BY rule, outcome, school NULLS LAST;

-- notification_thread --
-- The earlier message to the same channel that began what this one goes on with, where it is one; else no row.
-- Parameters: district, notification.
WITH before AS (
    SELECT DISTINCT o.notification_id, o.first_flip_id
    FROM notifications AS n
    JOIN notification_flips AS nf USING (district_id, notification_id)
    JOIN flips AS f USING (district_id, flip_id)
    JOIN flips AS g ON g.district_id = f.district_id AND g.alert_id = f.alert_id AND g.flip_id < f.flip_id
        AND g.kind IN ('fired', 'held', 'released') AND g.new_state <> 'clear'
        AND NOT EXISTS (
            SELECT FROM flips AS e
            WHERE e.district_id = f.district_id AND e.alert_id = f.alert_id AND e.new_state = 'clear'
                AND e.flip_id > g.flip_id AND e.flip_id < f.flip_id
        )
    JOIN notification_flips AS og ON og.district_id = g.district_id AND og.flip_id = g.flip_id
    JOIN notifications AS o ON o.district_id = og.district_id AND o.notification_id = og.notification_id
        AND o.channel_key = n.channel_key AND o.notification_id <> n.notification_id AND o.state = 'sent'
    WHERE n.district_id = $1 AND n.notification_id = $2
)
SELECT b.first_flip_id, f.created_at AS first_flip_at
FROM before AS b
JOIN flips AS f ON f.district_id = $1 AND f.flip_id = b.first_flip_id
WHERE (SELECT count(*) FROM before) = 1;

-- notification_sent --
-- It was accepted: said also where the claim had run out by then, so that nobody sends it again.
-- Parameters: district, notification, now, what was amiss nevertheless (NULL: nothing).
UPDATE notifications
SET state = 'sent', sent_at = $3, claimed_until_at = NULL, error = $4
WHERE district_id = $1 AND notification_id = $2 AND state <> 'sent';

-- notification_not_sent --
-- It was not accepted: to be tried again then, or (NULL) given up. Only the newest try may say so.
-- Parameters: district, notification, the try, when to try again, what was amiss.
UPDATE notifications
SET
    state = CASE WHEN $4::timestamptz IS NULL THEN 'given_up' ELSE 'waiting' END::notification_state,
    due_at = coalesce($4, due_at), claimed_until_at = NULL, error = $5
WHERE district_id = $1 AND notification_id = $2 AND attempts = $3 AND state = 'waiting';

-- put_off_notification --
-- Nobody tried to send it after all. Only the newest try may say so. Parameters: district, notification, the try, until
-- when.
UPDATE notifications
SET due_at = $4, claimed_until_at = NULL, attempts = attempts - 1
WHERE district_id = $1 AND notification_id = $2 AND attempts = $3 AND state = 'waiting';

-- put_off_channel --
-- What else waits for a channel that just failed need not find that out by itself.
-- Parameters: district, channel, now, until when.
UPDATE notifications
SET due_at = $4
WHERE district_id = $1 AND channel_key = $2 AND state = 'waiting' AND due_at < $4
    AND (claimed_until_at IS NULL OR claimed_until_at <= $3);

-- channel_succeeded --
-- A channel took a message. Returns whether it had been failing and no longer is.
-- Parameters: district, channel, now, what was amiss nevertheless (NULL: nothing).
WITH before AS (
    SELECT failing_since_at FROM channels WHERE district_id = $1 AND channel_key = $2
)
INSERT INTO channels AS c (district_id, channel_key, last_success_at, failing_since_at, error)
VALUES ($1, $2, $3, CASE WHEN $4::text IS NOT NULL THEN $3::timestamptz END, $4)
ON CONFLICT (district_id, channel_key) DO UPDATE
SET last_success_at = greatest(c.last_success_at, excluded.last_success_at),
    failing_since_at = CASE WHEN $4::text IS NOT NULL THEN coalesce(c.failing_since_at, $3) END,
    is_refused = false, error = excluded.error
RETURNING failing_since_at IS NULL AND (SELECT b.failing_since_at FROM before AS b) IS NOT NULL AS has_recovered;

-- channel_failed --
-- A channel did not take a message. Returns whether that is new.
-- Parameters: district, channel, now, whether a person has to mend something, what was amiss.
INSERT INTO channels AS c (district_id, channel_key, failing_since_at, is_refused, error) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (district_id, channel_key) DO UPDATE
SET failing_since_at = coalesce(c.failing_since_at, excluded.failing_since_at), is_refused = excluded.is_refused,
    error = excluded.error
RETURNING failing_since_at = $3::timestamptz AS is_new;

-- sync_channels --
-- The channels of the configuration, and no others, are in use. Parameters: district, their keys.
WITH gone AS (
    UPDATE channels SET is_in_use = false
    WHERE district_id = $1 AND is_in_use AND channel_key <> ALL ($2::text[])
)
INSERT INTO channels (district_id, channel_key)
SELECT $1, key FROM unnest($2::text[]) AS key
ON CONFLICT (district_id, channel_key) DO UPDATE SET is_in_use = true;

-- channels_fare --
-- How each channel in use fares, and what waits for it. Parameters: district.
SELECT
    c.channel_key, c.last_success_at, c.failing_since_at, c.is_refused, c.error,
    count(n.notification_id) FILTER (WHERE n.state = 'waiting') AS waiting,
    min(n.due_at) FILTER (WHERE n.state = 'waiting') AS next_due_at,
    count(n.notification_id) FILTER (WHERE n.state = 'given_up') AS given_up
FROM channels AS c
LEFT JOIN notifications AS n USING (district_id, channel_key)
WHERE c.district_id = $1 AND c.is_in_use
GROUP BY c.district_id, c.channel_key
ORDER BY c.channel_key;
