import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameCollection } from '../src/name-collection.js';
import { nameRelations, type RelatedForeignKey, type RelatedTable } from '../src/name-relations.js';

/** `'author_id -> users'`, `'a, b -> users(x, y)'`; the target's column is `id` where it is not said. */
function parseKey(text: string): RelatedForeignKey {
  const [left = '', right = ''] = text.split(' -> ');
  const fields = left.split(', ');
  const [, target = '', targetFields = 'id'] = /^([^(]+)(?:\((.*)\))?$/.exec(right) ?? [];
  return {
    name: `${fields.join('_')}_${target}_fkey`,
    fields,
    target: target === 'hidden' ? null : target,
    targetFields: targetFields.split(', '),
    isProven: true,
  };
}

interface TableSpec {
  /** Field names separated by spaces; one that may be null ends in a question mark. */
  readonly fields: string;
  readonly primaryKey?: readonly string[];
  readonly unique?: readonly (readonly string[])[];
  readonly keys?: readonly string[];
}

function buildTable([name, spec]: [string, TableSpec]): RelatedTable {
  const [schema = '', table = ''] = name.includes('.') ? name.split('.') : ['public', name];
  const primaryKey = spec.primaryKey ?? ['id'];
  return {
    name,
    schema,
    table,
    fields: new Map(
      spec.fields.split(' ').map((field) => [field.replace('?', ''), { nullable: field.endsWith('?') }]),
    ),
    primaryKey,
    uniqueKeys: [primaryKey, ...(spec.unique ?? [])]
      .filter(({ length }) => length > 0)
      .map((fields) => ({ fields })),
    foreignKeys: (spec.keys ?? []).map(parseKey),
  };
}

const relate = (tables: Record<string, TableSpec>): ReturnType<typeof nameRelations> =>
  nameRelations(Object.entries(tables).map(buildTable), ['public', 'billing', 'sales']);

/** `posts.author > users`, with `[]` for a list, one line a relation. */
function describeRelations(tables: Record<string, TableSpec>): string[] {
  return [...relate(tables)].flatMap(([collection, relations]) =>
    [...relations.values()].map(
      ({ name, target, isList }) => `${collection}.${name} > ${target}${isList ? '[]' : ''}`,
    ),
  );
}

const users = { fields: 'id name' };

const scenarios: readonly {
  readonly name: string;
  readonly tables: Record<string, TableSpec>;
  readonly relations: readonly string[];
}[] = [
  {
    name: 'names the forward side by the column without _id, the reverse side by the child table',
    tables: { users, posts: { fields: 'id author_id', keys: ['author_id -> users'] } },
    relations: ['users.posts > posts[]', 'posts.author > users'],
  },
  {
    name: 'lets a column named like its relation keep its name',
    tables: { users, posts: { fields: 'id author', keys: ['author -> users'] } },
    relations: ['users.posts > posts[]', 'posts.author > users'],
  },
  {
    name: 'keeps a column that is only _id',
    tables: { users, posts: { fields: 'id _id', keys: ['_id -> users'] } },
    relations: ['users.posts > posts[]', 'posts._id > users'],
  },
  {
    name: 'takes the whole column where another field has the short name',
    tables: { users, posts: { fields: 'id author author_id', keys: ['author_id -> users'] } },
    relations: ['users.posts > posts[]', 'posts.author_id > users'],
  },
  {
    name: 'tells two keys from one table apart by their forward names',
    tables: {
      users,
      posts: { fields: 'id author_id editor_id', keys: ['author_id -> users', 'editor_id -> users'] },
    },
    relations: [
      'users.posts_by_author > posts[]',
      'users.posts_by_editor > posts[]',
      'posts.author > users',
      'posts.editor > users',
    ],
  },
  {
    name: 'makes the reverse side of a unique key one object',
    tables: {
      users,
      profiles: { fields: 'id user_id', unique: [['user_id']], keys: ['user_id -> users'] },
      settings: { fields: 'user_id', primaryKey: ['user_id'], keys: ['user_id -> users'] },
    },
    relations: [
      'users.profiles > profiles',
      'users.settings > settings',
      'profiles.user > users',
      'settings.user > users',
    ],
  },
  {
    name: 'takes a key for unique where a part of it is',
    tables: {
      users: { fields: 'tenant id' },
      badges: {
        fields: 'id tenant user_id',
        unique: [['user_id']],
        keys: ['tenant, user_id -> users(tenant, id)'],
      },
    },
    relations: ['users.badges > badges', 'badges.user > users'],
  },
  {
    name: 'gives a table that refers to itself both sides',
    tables: { categories: { fields: 'id parent_id?', keys: ['parent_id -> categories'] } },
    relations: ['categories.parent > categories', 'categories.categories > categories[]'],
  },
  {
    name: 'names a composite key by its last column, or by its target where that does not end in _id',
    tables: {
      tenants: { fields: 'id' },
      users: { fields: 'tenant_id id' },
      lines: { fields: 'order_id number', primaryKey: ['order_id', 'number'] },
      orders: {
        fields: 'id tenant_id user_id line',
        keys: [
          'tenant_id, user_id -> users(tenant_id, id)',
          'id, line -> lines(order_id, number)',
          'tenant_id -> tenants',
        ],
      },
    },
    relations: [
      'tenants.orders > orders[]',
      'users.orders > orders[]',
      'lines.orders > orders',
      'orders.tenant > tenants',
      'orders.user > users',
      'orders.lines > lines',
    ],
  },
  {
    name: 'lets a key of one column go before a composite one, whatever their order',
    tables: {
      tenants: { fields: 'id' },
      users: { fields: 'id tenant_id' },
      posts: {
        fields: 'id author_id tenant_id',
        keys: ['author_id, tenant_id -> users(id, tenant_id)', 'tenant_id -> tenants'],
      },
    },
    relations: [
      'tenants.posts > posts[]',
      'users.posts > posts[]',
      'posts.tenant > tenants',
      'posts.users > users',
    ],
  },
  {
    name: 'tells two keys on the same column apart',
    tables: {
      users,
      people: users,
      posts: { fields: 'id author_id', keys: ['author_id -> users', 'author_id -> people'] },
    },
    relations: [
      'users.posts > posts[]',
      'people.posts > posts[]',
      'posts.author > people',
      'posts.author_id > users',
    ],
  },
  {
    name: 'leaves out keys to tables that are not exposed',
    tables: { posts: { fields: 'id author_id', keys: ['author_id -> hidden'] } },
    relations: [],
  },
  {
    name: 'adds the forward name to a reverse side whose name is a field, a forward side or another table',
    tables: {
      users: { fields: 'id posts picture_id', keys: ['picture_id -> pictures'] },
      pictures: users,
      posts: { fields: 'id author_id', keys: ['author_id -> users'] },
      picture: { fields: 'id owner_id', keys: ['owner_id -> users'] },
      invoices: { fields: 'id payer_id', keys: ['payer_id -> users'] },
      'billing.invoices': { fields: 'id payer_id', keys: ['payer_id -> users'] },
      'sales.invoices': { fields: 'id payer_id', keys: ['payer_id -> users'] },
    },
    relations: [
      'users.picture > pictures',
      'users.invoices > invoices[]',
      'users.picture_by_owner > picture[]',
      'users.posts_by_author > posts[]',
      'users.invoices_by_payer > billing.invoices[]',
      'users.sales_invoices_by_payer > sales.invoices[]',
      'pictures.users > users[]',
      'posts.author > users',
      'picture.owner > users',
      'invoices.payer > users',
      'billing.invoices.payer > users',
      'sales.invoices.payer > users',
    ],
  },
  {
    name: 'leads through a join table to the far table',
    tables: {
      posts: users,
      tags: users,
      post_tags: {
        fields: 'post_id tag_id added_at',
        primaryKey: ['tag_id', 'post_id'],
        keys: ['post_id -> posts', 'tag_id -> tags'],
      },
    },
    relations: [
      'posts.post_tags > post_tags[]',
      'posts.tags > tags[]',
      'tags.post_tags > post_tags[]',
      'tags.posts > posts[]',
      'post_tags.post > posts',
      'post_tags.tag > tags',
    ],
  },
  {
    name: 'leads through a join table back to the same table',
    tables: {
      users,
      follows: {
        fields: 'follower_id followed_id',
        primaryKey: ['follower_id', 'followed_id'],
        keys: ['follower_id -> users', 'followed_id -> users'],
      },
    },
    relations: [
      'users.follows_by_follower > follows[]',
      'users.follows_by_followed > follows[]',
      'users.users_by_follower > users[]',
      'users.users_by_followed > users[]',
      'follows.follower > users',
      'follows.followed > users',
    ],
  },
  {
    name: 'tells two join tables to the same far table apart',
    tables: {
      posts: users,
      tags: users,
      post_tags: {
        fields: 'post_id tag_id',
        primaryKey: ['post_id', 'tag_id'],
        keys: ['post_id -> posts', 'tag_id -> tags'],
      },
      suggestions: {
        fields: 'post_id tag_id',
        primaryKey: ['post_id', 'tag_id'],
        keys: ['post_id -> posts', 'tag_id -> tags'],
      },
    },
    relations: [
      'posts.post_tags > post_tags[]',
      'posts.suggestions > suggestions[]',
      'posts.tags_by_post_tags > tags[]',
      'posts.tags_by_suggestions > tags[]',
      'tags.post_tags > post_tags[]',
      'tags.suggestions > suggestions[]',
      'tags.posts_by_post_tags > posts[]',
      'tags.posts_by_suggestions > posts[]',
      'post_tags.post > posts',
      'post_tags.tag > tags',
      'suggestions.post > posts',
      'suggestions.tag > tags',
    ],
  },
  {
    name: 'knows a join table by composite keys that share the tenant',
    tables: {
      tenants: { fields: 'id' },
      posts: { fields: 'tenant_id id' },
      tags: { fields: 'tenant_id id' },
      post_tags: {
        fields: 'tenant_id post_id tag_id',
        primaryKey: ['tenant_id', 'post_id', 'tag_id'],
        keys: [
          'tenant_id -> tenants',
          'tenant_id, post_id -> posts(tenant_id, id)',
          'tenant_id, tag_id -> tags(tenant_id, id)',
        ],
      },
    },
    relations: [
      'tenants.post_tags > post_tags[]',
      'posts.post_tags > post_tags[]',
      'posts.tags > tags[]',
      'tags.post_tags > post_tags[]',
      'tags.posts > posts[]',
      'post_tags.tenant > tenants',
      'post_tags.post > posts',
      'post_tags.tag > tags',
    ],
  },
  {
    name: 'takes no table for a join whose key has a third part, or is not the two keys',
    tables: {
      posts: users,
      tags: users,
      versioned: {
        fields: 'post_id tag_id version',
        primaryKey: ['post_id', 'tag_id', 'version'],
        keys: ['post_id -> posts', 'tag_id -> tags'],
      },
      surrogate: { fields: 'id post_id tag_id', keys: ['post_id -> posts', 'tag_id -> tags'] },
      unkeyed: { fields: 'post_id tag_id', primaryKey: [], keys: ['post_id -> posts', 'tag_id -> tags'] },
    },
    relations: [
      'posts.surrogate > surrogate[]',
      'posts.unkeyed > unkeyed[]',
      'posts.versioned > versioned[]',
      'tags.surrogate > surrogate[]',
      'tags.unkeyed > unkeyed[]',
      'tags.versioned > versioned[]',
      'versioned.post > posts',
      'versioned.tag > tags',
      'surrogate.post > posts',
      'surrogate.tag > tags',
      'unkeyed.post > posts',
      'unkeyed.tag > tags',
    ],
  },
];

describe('nameRelations', () => {
  it.each(scenarios)('$name', ({ tables, relations }) => {
    expect(describeRelations(tables)).toEqual(relations);
  });

  it('says which columns lead there and through what', () => {
    const relations = relate({
      posts: { fields: 'tenant number' },
      tags: users,
      post_tags: {
        fields: 'tenant number tag_id',
        primaryKey: ['tenant', 'number', 'tag_id'],
        keys: ['tenant, number -> posts(tenant, number)', 'tag_id -> tags'],
      },
    });
    expect(relations.get('posts')?.get('tags')).toEqual({
      name: 'tags',
      kind: 'many-to-many',
      isList: true,
      target: 'tags',
      columns: [
        { source: 'tenant', target: 'tenant' },
        { source: 'number', target: 'number' },
      ],
      nullable: true,
      foreignKey: 'tenant_number_posts_fkey',
      through: { collection: 'post_tags', columns: [{ source: 'tag_id', target: 'id' }] },
    });
    expect(relations.get('tags')?.get('post_tags')).toEqual({
      name: 'post_tags',
      kind: 'one-to-many',
      isList: true,
      target: 'post_tags',
      columns: [{ source: 'id', target: 'tag_id' }],
      nullable: true,
      foreignKey: 'tag_id_tags_fkey',
    });
  });

  it('is nullable forward where a column is, or where the key may not hold', () => {
    const posts = { fields: 'id a_id b_id? c_id', keys: ['a_id -> users', 'b_id -> users', 'c_id -> users'] };
    const table = buildTable(['posts', posts]);
    const foreignKeys = table.foreignKeys.map((key) =>
      Object.assign(key, { isProven: !key.fields.includes('c_id') }),
    );
    const tables = [buildTable(['users', users]), { ...table, foreignKeys }];
    const relations = nameRelations(tables, ['public']).get('posts');
    expect(['a', 'b', 'c'].map((name) => relations?.get(name)?.nullable)).toEqual([false, true, true]);
  });

  it('gives unique names that hide no field, the same for every order of the tables', () => {
    const name = fc.constantFrom('a', 'b', 'a_id', 'b_id', 'a_by_b', 'b_by_a', 'c', '__proto__', '_id');
    const table = fc.record({
      fields: fc.uniqueArray(name, { minLength: 1 }),
      keys: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.boolean()), { maxLength: 5 }),
      isKeyed: fc.boolean(),
    });
    const schema = fc.uniqueArray(fc.tuple(fc.constantFrom('public', 'billing'), name, table), {
      minLength: 1,
      selector: ([schema, name]) => `${schema}.${name}`,
    });
    fc.assert(
      fc.property(schema, fc.nat(), (specs, seed) => {
        const tables = specs.map(([schema, table, { fields, keys, isKeyed }]): RelatedTable => {
          const at = <T>(list: readonly T[], index: number): T | undefined => list[index % list.length];
          return {
            name: nameCollection(schema, table, ['public']),
            schema,
            table,
            fields: new Map(fields.map((field) => [field, { nullable: false }])),
            primaryKey: isKeyed ? fields.slice(0, 2) : [],
            uniqueKeys: [],
            foreignKeys: keys.map(([first, second, target, isComposite], index) => {
              const [schema, table] = at(specs, target) ?? ['public', 'a'];
              const own = [at(fields, first) ?? '', ...(isComposite ? [at(fields, second) ?? ''] : [])];
              return {
                name: `key_${index}`,
                fields: [...new Set(own)],
                target: nameCollection(schema, table, ['public']),
                targetFields: ['x', 'y'],
                isProven: true,
              };
            }),
          };
        });
        const result = nameRelations(tables, ['public', 'billing']);
        for (const { name, fields, foreignKeys } of tables) {
          for (const relation of result.get(name)?.values() ?? []) {
            const own = foreignKeys.find((key) => key.name === relation.foreignKey)?.fields ?? [];
            const mayShare = relation.kind === 'many-to-one' && own.includes(relation.name);
            expect(fields.has(relation.name) && !mayShare).toBe(false);
          }
          // Nothing is lost: each key gives a forward and a reverse side.
          const forward = [...(result.get(name)?.values() ?? [])].filter(
            ({ kind }) => kind === 'many-to-one',
          );
          expect(forward).toHaveLength(foreignKeys.length);
        }
        const rotated = tables
          .map((_, index) => tables[(index + seed) % tables.length])
          .filter((table) => table !== undefined);
        expect(nameRelations(rotated, ['public', 'billing'])).toEqual(result);
      }),
    );
  });
});
