import { ApiProperty } from '@nestjs/swagger';
import { PageDto } from '../system-page.js';

const KINDS = ['table', 'partitioned-table', 'view', 'materialized-view', 'foreign-table'] as const;

export class FieldDto {
  @ApiProperty()
  name: string;

  @ApiProperty({ description: 'The PostgreSQL type with its modifiers.', example: 'character varying(160)' })
  type: string;

  @ApiProperty()
  nullable: boolean;

  @ApiProperty({ type: 'string', nullable: true, description: "The default's SQL." })
  default: string | null;

  @ApiProperty({ type: 'string', enum: ['always', 'by-default', null], nullable: true })
  identity: 'always' | 'by-default' | null;

  @ApiProperty({ type: 'string', enum: ['stored', 'virtual', null], nullable: true })
  generated: 'stored' | 'virtual' | null;

  @ApiProperty({ description: 'Whether a write may set it.' })
  writable: boolean;

  @ApiProperty({ type: [String], nullable: true, description: 'The labels of an enum.' })
  values: readonly string[] | null;

  @ApiProperty({ type: 'string', nullable: true })
  comment: string | null;
}

export class RelationDto {
  @ApiProperty({ example: 'author' })
  name: string;

  @ApiProperty({ enum: ['many-to-one', 'one-to-one', 'one-to-many', 'many-to-many'] })
  kind: string;

  @ApiProperty({ description: 'Whether the far side is a list.' })
  isList: boolean;

  @ApiProperty({ example: 'authors' })
  target: string;

  @ApiProperty()
  nullable: boolean;
}

export class UniqueKeyDto {
  @ApiProperty()
  name: string;

  @ApiProperty({ type: [String] })
  fields: readonly string[];

  @ApiProperty()
  isPrimary: boolean;
}

export class IndexDto {
  @ApiProperty()
  name: string;

  @ApiProperty()
  definition: string;
}

export class CollectionDto {
  @ApiProperty({ example: 'posts' })
  name: string;

  @ApiProperty({ example: 'public' })
  schema: string;

  @ApiProperty({ example: 'posts' })
  table: string;

  @ApiProperty({ enum: KINDS })
  kind: string;

  @ApiProperty({ type: 'string', nullable: true })
  comment: string | null;

  @ApiProperty({ type: [String] })
  primaryKey: readonly string[];

  @ApiProperty({ type: [FieldDto] })
  fields: readonly FieldDto[];

  @ApiProperty({ type: [RelationDto] })
  relations: readonly RelationDto[];

  @ApiProperty({ type: [UniqueKeyDto] })
  uniqueKeys: readonly UniqueKeyDto[];

  @ApiProperty({ type: [IndexDto] })
  indexes: readonly IndexDto[];

  @ApiProperty()
  insertable: boolean;

  @ApiProperty()
  updatable: boolean;

  @ApiProperty()
  deletable: boolean;
}

export class CollectionPageDto {
  @ApiProperty({ type: [CollectionDto] })
  data: readonly CollectionDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}
