import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { ACTOR_KINDS, type ActorKind } from '../../common/context/index.js';
import { IfGiven } from '../if-given.decorator.js';
import { ACTIONS, type Action } from '../policies/policy.entity.js';

export class ExplainActorDto {
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    maxItems: 100,
    description: 'Roles besides `public`, which everyone has. Signed-in users have `authenticated`.',
    example: ['editor'],
  })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  roles?: string[];

  @ApiPropertyOptional({
    enum: ACTOR_KINDS,
    description: '`auth.kind`. Left out: `key`, or `public` for an actor without id, claims and roles.',
  })
  @IfGiven()
  @IsIn(ACTOR_KINDS)
  kind?: ActorKind;

  @ApiPropertyOptional({ type: 'string', nullable: true, maxLength: 200, description: '`auth.id`.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  id?: string | null;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: '`auth.claims`.' })
  @IfGiven()
  @IsObject()
  claims?: Record<string, unknown>;

  @ApiPropertyOptional({ format: 'uuid', description: 'An API key, instead of kind, roles, id and claims.' })
  @IfGiven()
  @IsUUID()
  keyId?: string;
}

export class ExplainDto {
  @ApiProperty({ type: ExplainActorDto, example: { roles: ['editor'], claims: { author_id: 1 } } })
  @IsObject()
  @ValidateNested()
  @Type(() => ExplainActorDto)
  actor: ExplainActorDto;

  @ApiProperty({ enum: ACTIONS })
  @IsIn(ACTIONS)
  action: Action;

  @ApiProperty({ example: 'posts', maxLength: 200 })
  @IsString()
  @MaxLength(200)
  collection: string;

  @ApiPropertyOptional({
    description: 'A stored record, by its key as in a path: `42`, or `a,b`. Not for `create`.',
    maxLength: 4096,
    example: '42',
  })
  @IfGiven()
  @IsString()
  @MaxLength(4096)
  key?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'For `create` the record that is sent; for `update` the changes of the one with the key. Else a record that need not be stored, instead of a key.',
    example: { title: 'Hello' },
  })
  @IfGiven()
  @IsObject()
  record?: Record<string, unknown>;
}

export class ExplainedPartDto {
  @ApiProperty({ description: 'A condition inside the expression, as it is written there.' })
  text: string;

  @ApiProperty({ type: 'integer', description: 'Where it begins in the expression.' })
  start: number;

  @ApiProperty({ type: 'integer', description: 'Where it ends.' })
  end: number;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'Its truth on the record; null without one.' })
  value: boolean | null;
}

export class ExplainedExpressionDto {
  @ApiProperty()
  text: string;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'Its truth on the record; null without one.' })
  value: boolean | null;

  @ApiProperty({
    type: [ExplainedPartDto],
    description: 'The conditions that it is made of, the whole left out.',
  })
  parts: readonly ExplainedPartDto[];
}

export class ExplainedRuleDto {
  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'The policy; null for what the role `admin` may.',
  })
  policy: string | null;

  @ApiProperty()
  role: string;

  @ApiProperty({
    oneOf: [
      { type: 'string', enum: ['*'] },
      { type: 'array', items: { type: 'string' } },
    ],
  })
  fields: readonly string[] | '*';

  @ApiProperty({
    type: 'array',
    items: { type: 'string' },
    description: 'Fields that the server sets where the rule applies.',
  })
  presets: readonly string[];

  @ApiProperty({ type: ExplainedExpressionDto, nullable: true, description: 'Null is every record.' })
  condition: ExplainedExpressionDto | null;

  @ApiProperty({
    type: ExplainedExpressionDto,
    nullable: true,
    description: 'Null is whatever the record becomes.',
  })
  check: ExplainedExpressionDto | null;

  @ApiProperty({
    type: 'boolean',
    nullable: true,
    description: 'Whether condition and check hold; null when that depends on the record and none was given.',
  })
  applies: boolean | null;
}

export class InactivePolicyDto {
  @ApiProperty({ format: 'uuid' })
  policy: string;

  @ApiProperty()
  role: string;

  @ApiProperty({ description: 'Why it gives nothing: the schema changed and it does not fit any more.' })
  problem: string;
}

export class ExplainedSqlDto {
  @ApiProperty()
  text: string;

  @ApiProperty({
    type: 'array',
    items: { type: 'string', nullable: true },
    description: 'The values of `$1`, `$2`, ... in the text form of PostgreSQL.',
  })
  parameters: readonly (string | null)[];
}

export class ExplanationDto {
  @ApiProperty({
    type: 'boolean',
    nullable: true,
    description:
      'Whether the action is allowed, for writes with the fields that are sent; null when that depends on the record and none was given.',
  })
  allowed: boolean | null;

  @ApiProperty({
    type: 'boolean',
    nullable: true,
    description:
      'Whether the record can be read: what cannot be, can neither be changed nor deleted. Null for `create`, and when that depends on the record and none was given.',
  })
  readable: boolean | null;

  @ApiProperty({ description: 'Whether PostgreSQL lets Plinth do it at all.' })
  possible: boolean;

  @ApiProperty({ enum: ACTOR_KINDS, description: "The actor's kind, `auth.kind`." })
  kind: ActorKind;

  @ApiProperty({ type: 'array', items: { type: 'string' }, description: "The actor's effective roles." })
  roles: readonly string[];

  @ApiProperty({ type: [ExplainedRuleDto], description: 'One that applies is enough.' })
  rules: readonly ExplainedRuleDto[];

  @ApiProperty({ type: [InactivePolicyDto] })
  inactive: readonly InactivePolicyDto[];

  @ApiProperty({
    type: 'array',
    items: { type: 'string' },
    description: 'The fields that may be read or sent: on the record, or on some record when none was given.',
  })
  fields: readonly string[];

  @ApiProperty({
    type: 'array',
    items: { type: 'string' },
    description: 'Those among the fields that depend on the record; empty when one was given.',
  })
  sometimes: readonly string[];

  @ApiProperty({
    type: ExplainedSqlDto,
    nullable: true,
    description: 'What the rules become; null when there are none.',
  })
  sql: ExplainedSqlDto | null;
}
