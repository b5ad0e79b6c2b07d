import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { ACTIONS, type Action } from '../policies/policy.entity.js';

export class ExplainActorDto {
  @ApiPropertyOptional({ type: [String], maxItems: 100, description: 'Roles besides `public`, which everyone has.' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  roles?: string[];

  @ApiPropertyOptional({ type: 'string', nullable: true, maxLength: 200, description: '`auth.id`.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  id?: string | null;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: '`auth.claims`.' })
  @IsOptional()
  @IsObject()
  claims?: Record<string, unknown>;

  @ApiPropertyOptional({ format: 'uuid', description: 'An API key, instead of roles, id and claims.' })
  @IsOptional()
  @IsUUID()
  keyId?: string;
}

export class ExplainDto {
  @ApiProperty({ type: ExplainActorDto })
  @IsDefined()
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

  @ApiPropertyOptional({ description: 'A stored record, by its key as in a path: `42`, or `a,b`.', maxLength: 4096 })
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  key?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'A record that need not be stored, instead of a key; missing fields are null.',
  })
  @IsOptional()
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

  @ApiProperty({ type: [ExplainedPartDto] })
  parts: ExplainedPartDto[];
}

export class ExplainedRuleDto {
  @ApiProperty({ type: 'string', nullable: true, description: 'The policy; null for what the role `admin` may.' })
  policy: string | null;

  @ApiProperty()
  role: string;

  @ApiProperty({ oneOf: [{ type: 'string', enum: ['*'] }, { type: 'array', items: { type: 'string' } }] })
  fields: string[] | '*';

  @ApiProperty({ type: ExplainedExpressionDto, nullable: true })
  condition: ExplainedExpressionDto | null;

  @ApiProperty({ type: ExplainedExpressionDto, nullable: true })
  check: ExplainedExpressionDto | null;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'Whether it applies to the record; null: that depends.' })
  applies: boolean | null;
}

export class ExplainedSqlDto {
  @ApiProperty()
  text: string;

  @ApiProperty({ type: 'array', items: { type: 'string', nullable: true } })
  parameters: (string | null)[];
}

export class ExplanationDto {
  @ApiProperty({
    type: 'boolean',
    nullable: true,
    description: 'Whether the action is allowed; null when that depends on the record and none was given.',
  })
  allowed: boolean | null;

  @ApiProperty({ type: [String], description: "The actor's effective roles." })
  roles: string[];

  @ApiProperty({ type: [ExplainedRuleDto] })
  rules: ExplainedRuleDto[];

  @ApiProperty({
    type: [String],
    description: 'The fields that may be read or sent: on the record, or on some record when none was given.',
  })
  fields: string[];

  @ApiProperty({ type: ExplainedSqlDto, nullable: true, description: 'What the rules become; null when there are none.' })
  sql: ExplainedSqlDto | null;
}
