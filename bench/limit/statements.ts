/**
 * The SQL of the hand-written server, each for one endpoint. Rows come as JSON texts, one each: that was the fastest of
 * the ways tried, and shows whether there is another page without a second look at the rows.
 */
interface Statement {
  /** Of the prepared statement. */
  readonly name: string;
  readonly text: string;
}

/** A list, newest first. Both give one row more than the page holds, where there is one. */
interface ListStatements {
  readonly pageSize: number;
  readonly firstPage: Statement;
  /** Takes the last record's `published_at` and `id` as its last two parameters. */
  readonly nextPage: Statement;
}

export const GET_POST: Statement = {
  name: 'get-post',
  text: `SELECT row_to_json(p)::text FROM (
      SELECT id, author_id, title, body, status, views, published_at FROM posts WHERE id = $1 AND status = 'published'
    ) p`,
};

/** Published posts with at least $1 views. */
export const LIST_POPULAR: ListStatements = list('popular', {
  pageSize: 25,
  select: 'row_to_json(p)::text',
  fields: 'id, title, views, published_at',
  where: `views >= $1`,
  parameters: 1,
});

/** Published posts from $1 until $2, with the number of all of them beside each row. */
export const LIST_PERIOD: ListStatements = list('period', {
  pageSize: 25,
  select: `row_to_json(p)::text,
    (SELECT count(*) FROM posts WHERE status = 'published' AND published_at >= $1 AND published_at < $2)::text`,
  fields: 'id, title, views, published_at',
  where: `published_at >= $1 AND published_at < $2`,
  parameters: 2,
});

/** Published posts before $1, each with its author and the latest five comments. */
export const LIST_FEED: ListStatements = list('feed', {
  pageSize: 10,
  select: 'row_to_json(p)::text',
  fields: `id, title, published_at,
    (SELECT row_to_json(a) FROM (SELECT id, name FROM authors WHERE id = posts.author_id) a) AS author,
    (SELECT coalesce(json_agg(c), '[]') FROM (
      SELECT id, body, created_at FROM comments WHERE post_id = posts.id ORDER BY created_at DESC, id DESC LIMIT 5
    ) c) AS comments`,
  where: `published_at < $1`,
  parameters: 1,
});

/** Gives the new id and the record. */
export const CREATE_COMMENT: Statement = {
  name: 'create-comment',
  text: `INSERT INTO comments (post_id, author_id, body) VALUES ($1, $2, $3)
    RETURNING id::text, row_to_json(comments)::text`,
};

/** Sets the views of a published post and gives the post. */
export const SET_VIEWS: Statement = {
  name: 'set-views',
  text: `UPDATE posts SET views = $2 WHERE id = $1 AND status = 'published' RETURNING row_to_json(posts)::text`,
};

interface ListShape {
  readonly pageSize: number;
  readonly select: string;
  readonly fields: string;
  readonly where: string;
  /** How many `where` uses. */
  readonly parameters: number;
}

function list(name: string, { pageSize, select, fields, where, parameters }: ListShape): ListStatements {
  const page = (condition: string): string => `SELECT ${select} FROM (
      SELECT ${fields} FROM posts WHERE status = 'published' AND ${condition}
      ORDER BY published_at DESC, id DESC LIMIT ${pageSize + 1}
    ) p`;
  return {
    pageSize,
    firstPage: { name: `list-${name}`, text: page(where) },
    nextPage: {
      name: `list-${name}-next`,
      text: page(`${where} AND (published_at, id) < ($${parameters + 1}, $${parameters + 2})`),
    },
  };
}

export type { ListStatements, Statement };
