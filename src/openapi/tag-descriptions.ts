/** Groups of routes that controllers name with `@ApiTags`; one that is not here is described by its name. */
export const TAG_DESCRIPTIONS: Readonly<Record<string, string>> = {
  health: 'Answers for probes.',
  metrics: 'Numbers about the running server, for Prometheus.',
  documentation: 'What this server can do for the caller.',
  auth: 'Sign-in, and what users do with their own account.',
  users: 'Users, and what happened around their sign-ins.',
  sessions: 'Sessions of all users.',
  roles: 'Roles, which actors have and policies are for.',
  policies: 'Policies: who may do what with which records and fields.',
  keys: 'API keys.',
  collections: 'The tables and views that are exposed, as the database has them.',
  access: 'Why an actor may or may not do something.',
};
