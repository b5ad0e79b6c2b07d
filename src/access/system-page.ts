import { ApiPropertyOptional, ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { Problem } from '../common/errors/index.js';
import { IfGiven } from './if-given.decorator.js';

/** Nothing else that JavaScript reads as a number. */
const DIGITS = /^\d{1,9}$/;
/** A `bigint` identity. */
const POSITION = /^\d{1,18}$/;

/** Query parameters of every list under `/system`. */
export class PageQuery {
  @ApiPropertyOptional({
    description: 'Entries of a page.',
    minimum: 1,
    maximum: 1000,
    default: 50,
    type: 'integer',
  })
  @IfGiven()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && DIGITS.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 50;

  @ApiPropertyOptional({ description: '`page.next` of the page before.', maxLength: 500 })
  @IfGiven()
  @IsString()
  @MaxLength(500)
  cursor?: string;
}

export class PageDto {
  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'The cursor of the next page; null at the end.',
  })
  next: string | null;
}

/** The envelope of a list, as for records. */
export interface SystemPage<T> {
  readonly data: readonly T[];
  readonly page: PageDto;
}

/** Cuts the row that was read only to know whether a page follows. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): SystemPage<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    data,
    page: { next: hasMore ? Buffer.from(JSON.stringify([keyOf(last)])).toString('base64url') : null },
  };
}

/**
 * The key that a cursor of `pageOf` holds.
 * @throws Problem `invalid-cursor`
 */
export function readCursor(cursor: string | undefined, pattern = POSITION): string | null {
  if (cursor === undefined) return null;
  try {
    const content: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(content) && typeof content[0] === 'string' && pattern.test(content[0]))
      return content[0];
  } catch {
    // Told below, with all other ways of not being a cursor.
  }
  throw new Problem('invalid-cursor', {
    detail: 'The cursor is not one of this list: begin again without it.',
  });
}
