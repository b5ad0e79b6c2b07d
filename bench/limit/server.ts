// What a good engineer writes by hand for exactly these endpoints: bare Fastify, a pool of 10, prepared statements, the
// database's JSON text sent as it is. No authentication, no policies, no entity tags, nothing that adapts to a schema.
import Fastify, { type FastifyReply } from 'fastify';
import pg from 'pg';
import {
  CREATE_COMMENT,
  GET_POST,
  LIST_FEED,
  LIST_PERIOD,
  LIST_POPULAR,
  SET_VIEWS,
  type ListStatements,
  type Statement,
} from './statements.js';

type Row = readonly string[];

/** Everything that is selected is a text already. */
const AS_TEXT = { getTypeParser: () => (value: string | Buffer) => value } as const;

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });

async function execute({ name, text }: Statement, values: unknown[]): Promise<Row[]> {
  const { rows } = await pool.query<string[]>({ name, text, values, rowMode: 'array', types: AS_TEXT });
  return rows;
}

const sendJson = (reply: FastifyReply, text: string): FastifyReply =>
  reply.header('content-type', 'application/json; charset=utf-8').send(text);

const sendNotFound = (reply: FastifyReply): FastifyReply =>
  sendJson(reply.code(404), '{"title":"There is no such record"}');

/** Sends a page: `{"data": [...], "page": {"next", "total"?}}`. */
async function sendPage(
  reply: FastifyReply,
  { pageSize, firstPage, nextPage }: ListStatements,
  values: unknown[],
  cursor: string | undefined,
): Promise<FastifyReply> {
  const rows =
    cursor === undefined
      ? await execute(firstPage, values)
      : await execute(nextPage, [...values, ...parseCursor(cursor)]);
  const hasNext = rows.length > pageSize;
  const records = (hasNext ? rows.slice(0, pageSize) : rows).map(([record]) => record);
  const next = hasNext ? `"${formatCursor(records.at(-1) ?? '{}')}"` : 'null';
  const total = rows[0]?.[1];
  const page = total === undefined ? `{"next":${next}}` : `{"next":${next},"total":${total}}`;
  return sendJson(reply, `{"data":[${records.join(',')}],"page":${page}}`);
}

function formatCursor(record: string): string {
  const { published_at, id } = JSON.parse(record) as { published_at: string; id: number };
  return Buffer.from(`${published_at},${id}`).toString('base64url');
}

const parseCursor = (cursor: string): string[] => Buffer.from(cursor, 'base64url').toString().split(',');

const app = Fastify();

const byId = { type: 'object', properties: { id: { type: 'integer' } } } as const;
const cursor = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;

app.get<{ Params: { id: number } }>('/posts/:id', { schema: { params: byId } }, async ({ params }, reply) => {
  const [row] = await execute(GET_POST, [params.id]);
  return row?.[0] === undefined ? sendNotFound(reply) : sendJson(reply, row[0]);
});

app.get<{ Querystring: { minViews: number; cursor?: string } }>(
  '/posts/popular',
  {
    schema: {
      querystring: {
        type: 'object',
        required: ['minViews'],
        properties: { minViews: { type: 'integer' }, cursor },
      },
    },
  },
  ({ query }, reply) => sendPage(reply, LIST_POPULAR, [query.minViews], query.cursor),
);

app.get<{ Querystring: { from: string; until: string; cursor?: string } }>(
  '/posts/period',
  {
    schema: {
      querystring: {
        type: 'object',
        required: ['from', 'until'],
        properties: { from: time, until: time, cursor },
      },
    },
  },
  ({ query }, reply) => sendPage(reply, LIST_PERIOD, [query.from, query.until], query.cursor),
);

app.get<{ Querystring: { before: string; cursor?: string } }>(
  '/posts/feed',
  {
    schema: {
      querystring: { type: 'object', required: ['before'], properties: { before: time, cursor } },
    },
  },
  ({ query }, reply) => sendPage(reply, LIST_FEED, [query.before], query.cursor),
);

app.post<{ Body: { post_id: number; author_id: number; body: string } }>(
  '/comments',
  {
    schema: {
      body: {
        type: 'object',
        required: ['post_id', 'author_id', 'body'],
        additionalProperties: false,
        properties: {
          post_id: { type: 'integer' },
          author_id: { type: 'integer' },
          body: { type: 'string' },
        },
      },
    },
  },
  async ({ body }, reply) => {
    const [row] = await execute(CREATE_COMMENT, [body.post_id, body.author_id, body.body]);
    const [id = '', record = ''] = row ?? [];
    return sendJson(reply.code(201).header('location', `/comments/${id}`), record);
  },
);

app.patch<{ Params: { id: number }; Body: { views: number } }>(
  '/posts/:id',
  {
    schema: {
      params: byId,
      body: {
        type: 'object',
        required: ['views'],
        additionalProperties: false,
        properties: { views: { type: 'integer' } },
      },
    },
  },
  async ({ params, body }, reply) => {
    const [row] = await execute(SET_VIEWS, [params.id, body.views]);
    return row?.[0] === undefined ? sendNotFound(reply) : sendJson(reply, row[0]);
  },
);

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });

process.once('SIGTERM', () => {
  void app.close().then(() => pool.end());
});
