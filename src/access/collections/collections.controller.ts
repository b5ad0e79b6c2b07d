import { Controller, Get, Param, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Collection, DataType, Field } from '@plinth/schema';
import { CatalogService } from '../../catalog/index.js';
import { Problem } from '../../common/errors/index.js';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { pageOf, PageQuery, readCursor } from '../system-page.js';
import { CollectionDto, CollectionPageDto, type FieldDto } from './collection.dto.js';

/** The catalog, as an administrator sees it. */
@ApiTags('collections')
@ApiProblems('unknown-parameter', 'unauthenticated', 'forbidden', 'database-unavailable', 'internal-error')
@Access('admin')
@Controller({ path: 'system/collections', version: VERSION_NEUTRAL })
export class CollectionsController {
  constructor(private readonly catalog: CatalogService) {}

  @Get()
  @ApiOperation({ summary: 'List collections' })
  @ApiResponse({ status: 200, type: CollectionPageDto, description: 'A page of collections by name.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  list(@Query() query: PageQuery): CollectionPageDto {
    const after = readCursor(query.cursor, /^[^\0]{1,200}$/u);
    const all = [...this.catalog.current().collections.values()]
      .filter(({ name }) => after === null || name > after)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
    const { data, page } = pageOf(all.slice(0, query.limit + 1), query.limit, ({ name }) => name);
    return { data: data.map(toDto), page };
  }

  @Get(':name')
  @ApiOperation({ summary: 'Get a collection' })
  @ApiResponse({ status: 200, type: CollectionDto, description: 'The collection.' })
  @ApiProblems('not-found')
  get(@NoParameters() _none: unknown, @Param('name') name: string): CollectionDto {
    const collection = this.catalog.current().collections.get(name);
    if (!collection)
      throw new Problem('not-found', { detail: `There is no collection ${JSON.stringify(name)}.` });
    return toDto(collection);
  }
}

const toDto = (collection: Collection): CollectionDto => ({
  name: collection.name,
  schema: collection.schema,
  table: collection.table,
  kind: collection.kind,
  comment: collection.comment,
  primaryKey: collection.primaryKey,
  fields: [...collection.fields.values()].map(toFieldDto),
  relations: [...collection.relations.values()].map(({ name, kind, isList, target, nullable }) => ({
    name,
    kind,
    isList,
    target,
    nullable,
  })),
  uniqueKeys: collection.uniqueKeys.map(({ name, fields, isPrimary }) => ({ name, fields, isPrimary })),
  indexes: collection.indexes.map(({ name, definition }) => ({ name, definition })),
  insertable: collection.insertable,
  updatable: collection.updatable,
  deletable: collection.deletable,
});

const toFieldDto = (field: Field): FieldDto => ({
  name: field.name,
  type: field.type.sql,
  nullable: field.nullable,
  default: field.default,
  identity: field.identity,
  generated: field.generated,
  writable: field.writable,
  values: enumValues(field.type),
  comment: field.comment,
});

function enumValues(type: DataType): readonly string[] | null {
  if (type.kind === 'domain') return enumValues(type.base);
  return type.kind === 'enum' ? type.values : null;
}
