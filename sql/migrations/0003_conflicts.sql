-- One fleet out of many sources: what each source says of a line's device, and where sources contradict each other.

-- What was told is digested in four parts: every line is looked at once more.
UPDATE provider_keys SET identity = repeat('-', 32);

ALTER TABLE provider_keys
    ADD COLUMN device_id bigint,  -- the device that the line is in, as this source tells; NULL: it names none
    ADD FOREIGN KEY (district_id, device_id) REFERENCES devices;
CREATE INDEX provider_keys_device ON provider_keys (district_id, device_id);

CREATE TYPE conflict_kind AS ENUM (
    'line_device',  -- two accounts say that a line is in two devices
    'serial'        -- a device is told to have the serial number of another
);

CREATE TYPE conflict_settlement AS ENUM (
    'agreed',  -- nobody contradicts any more
    'kept',    -- a person decided for what was in force
    'taken'    -- a person decided for what was claimed
);

-- What two sources cannot both be right about. Until it is settled, what is in force stays in force.
CREATE TABLE conflicts (
    district_id         integer NOT NULL,
    conflict_id         bigint GENERATED ALWAYS AS IDENTITY,
    kind                conflict_kind NOT NULL,
    line_id             bigint NOT NULL,  -- the line that is claimed, or that the claim was made with
    device_id           bigint NOT NULL,  -- in force: it holds the line, or has the serial number
    other_device_id     bigint NOT NULL,  -- claimed
    account_id          bigint NOT NULL,  -- who claims it
    against_account_id  bigint,           -- who says what is in force; NULL: no account does
    opened_at           timestamptz NOT NULL,
    claimed_at          timestamptz NOT NULL,  -- when the claim was last looked into
    settled_at          timestamptz,           -- NULL: it is open
    settled_as          conflict_settlement,
    PRIMARY KEY (district_id, conflict_id),
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, device_id) REFERENCES devices,
    FOREIGN KEY (district_id, other_device_id) REFERENCES devices,
    FOREIGN KEY (district_id, account_id) REFERENCES accounts,
    FOREIGN KEY (district_id, against_account_id) REFERENCES accounts,
    CHECK ((settled_at IS NULL) = (settled_as IS NULL))
);
CREATE INDEX conflicts_line ON conflicts (district_id, line_id);
CREATE INDEX conflicts_device ON conflicts (district_id, device_id);
CREATE INDEX conflicts_other_device ON conflicts (district_id, other_device_id);
CREATE INDEX conflicts_account ON conflicts (district_id, account_id);
CREATE INDEX conflicts_against_account ON conflicts (district_id, against_account_id);

-- Which device a line is in, as each account in use says. An account that has since read its list twice without the
-- line no longer lists it; one that cannot be read is taken at its last word.
CREATE VIEW line_claims AS
SELECT
    k.district_id,
    k.line_id,
    k.device_id,
    k.account_id,
    a.rank,
    coalesce(
        s.read_at >= (
            SELECT min(w.watermark_at) - 2 * a.cadence
            FROM watermarks AS w
            WHERE w.district_id = k.district_id AND w.account_id = k.account_id
        ),
        true
    ) AS is_listed
FROM provider_keys AS k
JOIN accounts AS a USING (district_id, account_id)
LEFT JOIN latest_states AS s USING (district_id, account_id, line_id)
WHERE k.device_id IS NOT NULL AND a.is_in_use;
