-- A base of a house on PostgreSQL: a role of its own, and a database of the same name that no other role may even open.
-- Run it as the server's superuser, once for each base; again where the database was lost: the role may be there.
--
--     sudo -u postgres psql --set base=citizen_miles_fund --file /opt/citizen-miles/docs/operations/postgresql-base.sql
--
-- Who may call himself by a role is said in pg_hba.conf: docs/operations/postgresql.md, "Users and databases".
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN', :'base') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'base') \gexec
CREATE DATABASE :"base" OWNER :"base" TEMPLATE template0 ENCODING 'UTF8';
-- Without this, every role of the server may connect, and take the writer's lock.
REVOKE ALL ON DATABASE :"base" FROM PUBLIC;
\connect :"base"
-- Before PostgreSQL 15 everybody may make tables in it.
ALTER SCHEMA public OWNER TO :"base";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
