-- The database of a release, taken back to schema 1 of cloudhub: as of commit cd8e77b.
DROP TABLE hub_commands;
DROP FUNCTION hub_command_changed;
DROP FUNCTION hub_micros;
UPDATE schema_versions SET version = 1 WHERE component = 'cloudhub';
