CREATE TABLE mapper (  sequence INTEGER PRIMARY KEY,  name TEXT NOT NULL UNIQUE,  protocol TEXT NOT NULL,  path TEXT NOT NULL,  version TEXT NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE told (  mapper TEXT NOT NULL,  model INTEGER NOT NULL,  name TEXT NOT NULL,  content BLOB NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1,  UNIQUE (mapper, model, name)) STRICT;
INSERT INTO mapper VALUES (1, 'virtual', 'virtual', '@FOLDER@/nodes/edge-1/run/virtual.sock', '0.1.0', -1);
INSERT INTO told VALUES ('virtual', 1, 'default/virtual-thermometer', x'4c6ee55a0c479172cc5414a9425666', 913912895);
INSERT INTO told VALUES ('virtual', 1, 'default/virtual-switch', x'd0a3b3325bb880cc67decc330b4089', 1408434730);
INSERT INTO told VALUES ('virtual', 0, 'default/lamp-3', x'2f7ef64249ca6aa2d1b46cb1b2fa99', 3842994187);
INSERT INTO told VALUES ('virtual', 0, 'default/room-3', x'81590b15805a2695b1535c48598cb1', 2010341957);
PRAGMA user_version=1;
PRAGMA application_id=863157720;
