-- Report takings by day
--
-- Read by the accountants' software, which is connected to staging and to
-- production only. The lowest level named counts: from staging upwards. No
-- later revision may build on this view, as other databases do not have it.
--
-- Revision ID: 0c907eda6bb9
-- Revises: ef870d8a9832
-- Create Date: 2026-08-17T08:15:00Z
-- Env: staging, production

-- migrate:up
CREATE VIEW takings_by_day AS
SELECT
    received_on,
    method,
    COUNT(*) AS payments,
    SUM(amount_cents) AS amount_cents
FROM payment
GROUP BY received_on, method;

-- migrate:down
DROP VIEW takings_by_day;
