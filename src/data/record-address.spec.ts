import { describe, expect, it } from 'vitest';
import { nextPagePath, parseRecordAddress } from './record-address.js';

const next = (query: string): string =>
  nextPagePath('/api/posts', parseRecordAddress(`/api/posts?${query}`, 'posts'), 'C-_9');

describe('the address of the next page', () => {
  it('asks what was asked, from the cursor on', () => {
    expect(next('limit=2&filter=views%20%3E%201&sort=-id')).toBe(
      '/api/posts?limit=2&filter=views%20%3E%201&sort=-id&cursor=C-_9',
    );
    expect(next('')).toBe('/api/posts?cursor=C-_9');
  });

  it.each([
    'cursor=old&limit=2',
    'limit=2&cursor=old',
    'offset=4&limit=2',
    '%63ursor=old&limit=2',
    'limit=2&o%66fset=4',
  ])('is of one place only: %s', (query) => {
    const { pathname, searchParams } = new URL(next(query), 'http://x');
    expect([pathname, ...searchParams]).toEqual(['/api/posts', ['limit', '2'], ['cursor', 'C-_9']]);
  });

  it('keeps what only looks like a place', () => {
    const { searchParams } = new URL(
      next('filter=title%20%3D%3D%20%22cursor%22&comments.offset=1'),
      'http://x',
    );
    expect([...searchParams]).toEqual([
      ['filter', 'title == "cursor"'],
      ['comments.offset', '1'],
      ['cursor', 'C-_9'],
    ]);
  });

  it('never ends the brackets that it stands between', () => {
    const path = next('filter=views>1;rel="x"&a=<b>&name=é');
    expect(path).toMatch(/^[!-~]+$/);
    expect(path).not.toMatch(/[<>"]/);
    expect(new URL(path, 'http://x').searchParams.get('filter')).toBe('views>1;rel="x"');
  });
});
