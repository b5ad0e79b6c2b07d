/** Cursors of lists in the order of time and id: `2026-01-31T12:00:00.000Z_<uuid>`. */
export const TIME_AND_ID = {
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z_[0-9a-f-]{36}$/,

  format: ({ createdAt, id }: { readonly createdAt: Date; readonly id: string }): string =>
    `${createdAt.toISOString()}_${id}`,

  parse(text: string): { readonly time: string; readonly id: string } {
    const [time = '', id = ''] = text.split('_');
    return { time, id };
  },
};
