-- Add tooth to invoice lines
--
-- Insurers send back invoices that do not say which tooth was treated. The
-- number follows FDI notation (11 to 48; milk teeth 51 to 85). NULL is for
-- work on no single tooth, such as a cleaning.
--
-- Revision ID: ef870d8a9832
-- Revises: dddbcdd99e41
-- Create Date: 2026-07-21T13:35:00Z

-- migrate:up
ALTER TABLE invoice_line ADD COLUMN tooth INTEGER NULL;

-- migrate:down
ALTER TABLE invoice_line DROP COLUMN tooth;
