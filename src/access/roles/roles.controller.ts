import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { PageQuery } from '../system-page.js';
import { CreateRoleDto, RoleDto, RolePageDto, UpdateRoleDto } from './role.dto.js';
import { RolesService } from './roles.service.js';

/** Roles: names that policies are written for. */
@ApiTags('roles')
@ApiProblems('unknown-parameter', 'unauthenticated', 'forbidden', 'database-unavailable', 'internal-error')
@Access('admin')
@Controller({ path: 'system/roles', version: VERSION_NEUTRAL })
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @Get()
  @ApiOperation({ summary: 'List roles' })
  @ApiResponse({ status: 200, type: RolePageDto, description: 'A page of roles by name.' })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  list(@Query() query: PageQuery): Promise<RolePageDto> {
    return this.roles.list(query);
  }

  @Post()
  @ApiOperation({ summary: 'Create a role' })
  @ApiResponse({ status: 201, type: RoleDto, description: 'The new role.' })
  @ApiProblems('invalid-request', 'unique-violation', 'body-too-large', 'unsupported-media-type')
  create(@NoParameters() _none: unknown, @Body() body: CreateRoleDto): Promise<RoleDto> {
    return this.roles.create(body);
  }

  @Get(':name')
  @ApiOperation({ summary: 'Get a role' })
  @ApiResponse({ status: 200, type: RoleDto, description: 'The role.' })
  @ApiProblems('not-found')
  get(@NoParameters() _none: unknown, @Param('name') name: string): Promise<RoleDto> {
    return this.roles.get(name);
  }

  @Patch(':name')
  @ApiOperation({ summary: "Change a role's description" })
  @ApiResponse({ status: 200, type: RoleDto, description: 'The role as it is now.' })
  @ApiProblems('invalid-request', 'not-found', 'body-too-large', 'unsupported-media-type')
  update(
    @NoParameters() _none: unknown,
    @Param('name') name: string,
    @Body() body: UpdateRoleDto,
  ): Promise<RoleDto> {
    return this.roles.update(name, body);
  }

  @Delete(':name')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a role with its policies' })
  @ApiResponse({ status: 204, description: 'The role is gone; keys that had it have it no more.' })
  @ApiProblems('not-found', 'conflict')
  delete(@NoParameters() _none: unknown, @Param('name') name: string): Promise<void> {
    return this.roles.delete(name);
  }
}
