import { ApiProperty, ApiPropertyOptional, OmitType, PartialType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { IfGiven } from '../if-given.decorator.js';
import { PageDto, PageQuery } from '../system-page.js';
import { UniqueItems } from '../unique-items.decorator.js';
import { ACTIONS, type Action } from './policy.entity.js';

const MAX_EXPRESSION = 10_000;
const MAX_FIELDS = 1600;

export class CreatePolicyDto {
  @ApiProperty({ example: 'editor', maxLength: 63 })
  @IsString()
  @MaxLength(63)
  role: string;

  @ApiProperty({ example: 'posts', maxLength: 200 })
  @IsString()
  @MaxLength(200)
  collection: string;

  @ApiProperty({ enum: ACTIONS })
  @IsIn(ACTIONS)
  action: Action;

  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    maxLength: MAX_EXPRESSION,
    description: 'CEL over the record as it is; null is every record. For read, update and delete.',
    example: 'status == "published" || author_id == auth.claims.author_id',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_EXPRESSION)
  condition?: string | null;

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    nullable: true,
    maxItems: MAX_FIELDS,
    uniqueItems: true,
    description: 'The fields that may be read or sent; null, or "*" among them, is every field.',
    example: ['id', 'title', 'body'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_FIELDS)
  @UniqueItems()
  @IsString({ each: true })
  fields?: string[] | null;

  @ApiPropertyOptional({
    type: 'string',
    nullable: true,
    maxLength: MAX_EXPRESSION,
    description:
      'CEL over the record as it will be, with `old` for the record before an update. For create and update.',
    example: 'status != "published" || size(title) > 0',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_EXPRESSION)
  check?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description:
      'Fields that the server sets on create and update. A text is CEL (`auth.id`, `now`, `"\\"draft\\""`), any other value a constant.',
    example: { created_by: 'auth.id', is_approved: false },
  })
  @IsOptional()
  @IsObject()
  presets?: Record<string, unknown> | null;

  @ApiPropertyOptional({ maxLength: 1000, default: '', description: 'What the policy is for, in words.' })
  @IfGiven()
  @IsString()
  @MaxLength(1000)
  description?: string;
}

export class UpdatePolicyDto extends PartialType(OmitType(CreatePolicyDto, ['role'] as const), {
  skipNullProperties: false,
}) {}

export class PolicyQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Only policies of this role.', maxLength: 63 })
  @IfGiven()
  @IsString()
  @MaxLength(63)
  role?: string;

  @ApiPropertyOptional({ description: 'Only policies for this collection.', maxLength: 200 })
  @IfGiven()
  @IsString()
  @MaxLength(200)
  collection?: string;

  @ApiPropertyOptional({ enum: ACTIONS, description: 'Only policies for this action.' })
  @IfGiven()
  @IsIn(ACTIONS)
  action?: Action;
}

export class PolicyDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty()
  role: string;

  @ApiProperty()
  collection: string;

  @ApiProperty({ enum: ACTIONS })
  action: Action;

  @ApiProperty({ type: 'string', nullable: true })
  condition: string | null;

  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true })
  fields: string[] | null;

  @ApiProperty({ type: 'string', nullable: true })
  check: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  presets: Record<string, unknown> | null;

  @ApiProperty()
  description: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'Why the policy gives nothing now: the schema changed and it does not fit any more. Else null.',
  })
  problem: string | null;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ApiProperty({ type: 'string', format: 'date-time' })
  updatedAt: Date;
}

export class PolicyPageDto {
  @ApiProperty({ type: [PolicyDto] })
  data: readonly PolicyDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}
