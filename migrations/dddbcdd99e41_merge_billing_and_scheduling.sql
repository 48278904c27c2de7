-- Merge billing and scheduling
--
-- Both branches are done. A merge has several parents and makes one head of
-- them again; it changes nothing by itself.
--
-- Revision ID: dddbcdd99e41
-- Revises: 22b81ef8e706, 5a16e14644a6
-- Create Date: 2026-06-29T09:00:00Z

-- migrate:up
-- Nothing to do: the parents have done it.

-- migrate:down
-- Nothing to undo: below here there are two heads again.
