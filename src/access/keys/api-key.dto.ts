import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsNotEmpty,
  IsObject,
  IsString,
  MaxLength,
  ValidateIf,
} from 'class-validator';
import { IfGiven } from '../if-given.decorator.js';
import { PageDto } from '../system-page.js';

export class CreateKeyDto {
  @ApiProperty({ maxLength: 200, minLength: 1, example: 'web shop' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name: string;

  @ApiProperty({ type: 'array', items: { type: 'string' }, maxItems: 100, example: ['editor'] })
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  roles: string[];

  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Null: it never ends.',
  })
  @ValidateIf((_body, value) => value !== undefined && value !== null)
  @IsString()
  @MaxLength(50)
  expiresAt?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What policies see as `auth.claims`.',
    example: { customer_id: 17 },
  })
  @IfGiven()
  @IsObject()
  claims?: Record<string, unknown>;
}

export class UpdateKeyDto extends PartialType(CreateKeyDto, { skipNullProperties: false }) {}

export class KeyDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty()
  name: string;

  @ApiProperty({ description: 'How the key begins after `plinth_`: enough to recognise it, not to use it.' })
  prefix: string;

  @ApiProperty({ type: [String] })
  roles: string[];

  @ApiProperty({ type: 'object', additionalProperties: true })
  claims: Record<string, unknown>;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  expiresAt: Date | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'Within ten minutes.' })
  lastUsedAt: Date | null;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class CreatedKeyDto extends KeyDto {
  @ApiProperty({ description: 'The key itself. It is shown here and never again.', example: 'plinth_...' })
  key: string;
}

export class KeyPageDto {
  @ApiProperty({ type: [KeyDto] })
  data: readonly KeyDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}
