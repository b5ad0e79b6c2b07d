import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from '../if-given.decorator.js';
import { PageDto } from '../system-page.js';

/** Also the check on the table. */
export const ROLE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

export class CreateRoleDto {
  @ApiProperty({ pattern: ROLE_NAME.source, example: 'editor' })
  @Matches(ROLE_NAME, { message: 'name must be a letter, then up to 62 letters, digits, "_" or "-"' })
  name: string;

  @ApiPropertyOptional({ maxLength: 1000, default: '' })
  @IfGiven()
  @IsString()
  @MaxLength(1000)
  description?: string;
}

export class UpdateRoleDto extends PickType(CreateRoleDto, ['description'] as const) {}

export class RoleDto {
  @ApiProperty({ example: 'editor' })
  name: string;

  @ApiProperty()
  description: string;

  @ApiProperty({ description: 'Whether the role has a meaning of its own and cannot be deleted.' })
  isReserved: boolean;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class RolePageDto {
  @ApiProperty({ type: [RoleDto] })
  data: readonly RoleDto[];

  @ApiProperty({ type: PageDto })
  page: PageDto;
}
