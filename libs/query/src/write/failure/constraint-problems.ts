import type { Collection } from '@plinth/schema';
import { baseType } from '../../types.js';
import type { DatabaseErrorLike, DatabaseProblem } from './database-problem.js';
import { fieldProblems, problem, type FailureContext } from './failure-context.js';

/** Whether an error is about the collection's own table, and not about one that a trigger wrote to. */
const isOwn = ({ schema, table }: DatabaseErrorLike, collection: Collection): boolean =>
  schema === collection.schema && (table === collection.table || collection.kind !== 'table');

/** Integrity constraints (SQLSTATE class 23): the constraint's name leads to its fields. */
export function translateConstraint(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  switch (error.code) {
    case '23505':
      return translateUnique(error, context);
    case '23503':
    case '23001':
      return translateForeignKey(error, context);
    case '23502':
      return translateNotNull(error, context);
    case '23P01': {
      const detail = 'The record excludes or overlaps another one.';
      return problem('exclusion-violation', detail, {
        errors: fieldProblems(
          context,
          indexFields(error, context),
          'exclusion',
          'conflicts with another record',
        ),
        isOfOneRecord: true,
      });
    }
    default:
      return translateCheck(error, context);
  }
}

function translateUnique(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const fields = indexFields(error, context);
  const areKnown = fields.length > 0 && fields.every((name) => context.knownFields.has(name));
  const detail = areKnown
    ? `Another record has this ${fields.join(', ')} already.`
    : 'A unique value is taken.';
  return problem('unique-violation', detail, {
    errors: fieldProblems(context, fields, 'unique', 'is taken'),
    isOfOneRecord: true,
    // A row that is written meanwhile may meet another unique key before the one that the two would be merged by.
    retry: context.isMerge ? 'race' : null,
  });
}

/** The fields of the constraint or index; on a partition it has another name than on the table that is known. */
function indexFields(error: DatabaseErrorLike, { collection }: FailureContext): readonly string[] {
  if (!isOwn(error, collection)) return [];
  const key = collection.uniqueKeys.find(({ name }) => name === error.constraint);
  if (key) return key.fields;
  const index = collection.indexes.find(({ name }) => name === error.constraint);
  return (index?.fields ?? []).filter((name) => name !== null);
}

/** Both directions: a record refers to nothing, or something still refers to it. */
function translateForeignKey(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const { collection } = context;
  const own = isOwn(error, collection)
    ? collection.foreignKeys.find(({ name }) => name === error.constraint)
    : undefined;
  // A table that refers to itself can fail both ways, and then only the message tells which.
  const isReferrer =
    own !== undefined && context.records > 0 && !error.message.startsWith('update or delete');
  if (isReferrer) {
    return problem('foreign-key-violation', 'A related record does not exist.', {
      errors: fieldProblems(context, own.fields, 'foreign-key', 'refers to a record that does not exist'),
      isOfOneRecord: true,
    });
  }
  const referrer = findReferrer(error, context);
  const by = referrer === null ? 'other records' : `records of ${referrer}`;
  return problem('foreign-key-violation', `The record is still referred to by ${by}.`);
}

/** The collection that refers, as far as the caller may know of it. */
function findReferrer(
  { schema, table }: DatabaseErrorLike,
  { catalog, access }: FailureContext,
): string | null {
  for (const collection of catalog.collections.values()) {
    if (collection.schema === schema && collection.table === table) {
      const isReadable = (access.collection(collection.name)?.read.length ?? 0) > 0;
      return isReadable ? collection.name : null;
    }
  }
  return null;
}

function translateNotNull(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const names = error.column !== undefined ? [error.column] : domainFields(error, context);
  const isKnown = isOwn(error, context.collection) || error.column === undefined;
  const errors = isKnown ? fieldProblems(context, names, 'not-null', 'must not be null') : [];
  const [first] = errors;
  return problem(
    'not-null-violation',
    first ? `A value is missing: ${names.join(', ')}.` : 'A value is missing.',
    {
      errors,
      isOfOneRecord: true,
    },
  );
}

function translateCheck(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const check = isOwn(error, context.collection)
    ? context.collection.checks.find(({ name }) => name === error.constraint)
    : undefined;
  const fields = check?.fields ?? domainFields(error, context);
  const areKnown = fields.length > 0 && fields.every((name) => context.knownFields.has(name));
  const rule = areKnown && error.constraint !== undefined ? ` "${error.constraint}"` : '';
  return problem('check-violation', `A value breaks a rule${rule} of the database.`, {
    errors: fieldProblems(context, fields, 'check', `breaks the rule${rule}`),
    isOfOneRecord: true,
  });
}

/** The sent fields whose domain it was; the error names only the domain. */
function domainFields({ schema, dataType }: DatabaseErrorLike, context: FailureContext): readonly string[] {
  if (dataType === undefined) return [];
  return [...context.sentFields].filter((name) => {
    const type = context.collection.fields.get(name)?.type;
    const inner = type?.kind === 'domain' ? type : type && baseType(type);
    const domain = inner?.kind === 'array' ? inner.element : inner;
    return domain?.kind === 'domain' && domain.name === dataType && domain.schema === schema;
  });
}
