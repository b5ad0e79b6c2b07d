/** Tables whose names, types and comments try to break whoever handles them. */
export const HOSTILE_SCHEMA = `
  CREATE TYPE "my ""Mood""" AS ENUM ('a', 'b''c', '', '<script>alert(1)</script>');
  CREATE TYPE empty_enum AS ENUM ();
  CREATE TYPE address AS (street text, "zip code" varchar(10), raw bytea);
  CREATE DOMAIN "Email" AS text NOT NULL CHECK (VALUE ~ '@');
  CREATE TABLE "weird, ""name"" /{x}?#" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "a b" text DEFAULT 'x', "<script>eval(1)</script>" "my ""Mood""",
    "__proto__" int NOT NULL DEFAULT 1, "constructor" int, "größe" numeric(10,2), home address, mail "Email", "-dash" int,
    moods "my ""Mood"""[], nothing empty_enum, "tick\`s" int, "data" json, count int, "count_x" text,
    "a.limit" int, "select" int, "63 bytes 63 bytes 63 bytes 63 bytes 63 bytes 63 bytes 63 bytes" int);
  COMMENT ON TABLE "weird, ""name"" /{x}?#" IS 'A table with <script>alert(1)</script>, eval(1) and | pipes';
  COMMENT ON COLUMN "weird, ""name"" /{x}?#"."a b" IS '<img src=x onerror=alert(1)> [x](javascript:alert(1))';
  CREATE TABLE "select" (
    "from" text, "to" text, "a.b" int, parent int REFERENCES "weird, ""name"" /{x}?#", PRIMARY KEY ("from", "to"));
  CREATE TABLE "SELECT" (
    id uuid PRIMARY KEY, select_from text, select_to text,
    FOREIGN KEY (select_from, select_to) REFERENCES "select");
  CREATE TABLE no_key (x int);
  CREATE TABLE batch (id int PRIMARY KEY, health int);
  CREATE TABLE health (id int PRIMARY KEY);
  CREATE TABLE "health (records)" (id int PRIMARY KEY);
  CREATE TABLE "Problem" (id int PRIMARY KEY);
  CREATE TABLE "Page" (id int PRIMARY KEY);
  CREATE TABLE "Page-table" (id int PRIMARY KEY);
  CREATE TABLE "..." (id int PRIMARY KEY);
  CREATE TABLE "../x" (id int PRIMARY KEY);
  CREATE TABLE "a.b" (id int PRIMARY KEY);
  CREATE TABLE "-create" (id int PRIMARY KEY);
  CREATE TABLE "__proto__" (id int PRIMARY KEY);
  CREATE TABLE "constructor" (id int PRIMARY KEY);
  CREATE TABLE "aggregate" (author int REFERENCES "a.b", id text PRIMARY KEY);
  CREATE TABLE "größe" (id int PRIMARY KEY);
  CREATE VIEW a_view AS SELECT 1 AS one, 'x'::text AS two;
`;
