const CLAUSE = /^(SELECT|FROM|WHERE|GROUP BY|ORDER BY|LIMIT|LEFT JOIN|CROSS JOIN|JOIN|UNION ALL)\b/;

/** Breaks a statement into lines by clause and indents subselects, for review. It changes white space only. */
export function formatSql(text: string): string {
  const lines: string[] = [];
  // For each open parenthesis, whether a subselect is inside.
  const open: boolean[] = [];
  let line = '';
  const depth = (): number => open.filter(Boolean).length;
  const endLine = (): void => {
    if (line.trim() !== '') lines.push(`${'  '.repeat(lineDepth)}${line.trim()}`);
    line = '';
    lineDepth = depth();
  };
  let lineDepth = 0;
  for (let index = 0; index < text.length;) {
    const rest = text.slice(index);
    const quoted = /^(?:"(?:[^"]|"")*"|E?'(?:[^']|'')*')/.exec(rest);
    const isClauseLevel = open.length === 0 || open.at(-1) === true;
    const clause = isClauseLevel && !/\w$/.test(text.slice(0, index)) ? CLAUSE.exec(rest) : null;
    if (clause) endLine();
    const word = quoted ?? clause ?? /^\w+/.exec(rest);
    const token = word?.[0] ?? text.charAt(index);
    if (token === '(') open.push(/^\(+SELECT/.test(rest));
    if (token === ')') {
      const isSubselect = open.pop() === true;
      if (isSubselect) endLine();
    }
    line += token;
    index += token.length;
  }
  endLine();
  return `${lines.join('\n')}\n`;
}
