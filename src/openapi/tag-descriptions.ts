/** Groups of routes that controllers name with `@ApiTags`; one that is not here is described by its name. */
export const TAG_DESCRIPTIONS: Readonly<Record<string, string>> = {
  health: 'Answers for probes.',
  documentation: 'What this server can do for the caller.',
  roles: 'Roles, which actors have and policies are for.',
  policies: 'Policies: who may do what with which records and fields.',
  keys: 'API keys.',
  collections: 'The tables and views that are exposed, as the database has them.',
  access: 'Why an actor may or may not do something.',
};
