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
import { CreatedKeyDto, CreateKeyDto, KeyDto, KeyPageDto, UpdateKeyDto } from './api-key.dto.js';
import type { ApiKey } from './api-key.entity.js';
import { ApiKeysService } from './api-keys.service.js';

/** API keys: credentials for programs. */
@ApiTags('keys')
@ApiProblems('unknown-parameter', 'unauthenticated', 'forbidden', 'database-unavailable', 'internal-error')
@Access('admin')
@Controller({ path: 'system/keys', version: VERSION_NEUTRAL })
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @ApiOperation({ summary: 'List keys' })
  @ApiResponse({
    status: 200,
    type: KeyPageDto,
    description: 'A page of keys in the order of their creation.',
  })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  async list(@Query() query: PageQuery): Promise<KeyPageDto> {
    const { data, page } = await this.keys.list(query);
    return { data: data.map(toDto), page };
  }

  @Post()
  @ApiOperation({ summary: 'Create a key' })
  @ApiResponse({ status: 201, type: CreatedKeyDto, description: 'The new key, shown this once.' })
  @ApiProblems('invalid-request', 'body-too-large', 'unsupported-media-type')
  async create(@NoParameters() _none: unknown, @Body() body: CreateKeyDto): Promise<CreatedKeyDto> {
    const { key, record } = await this.keys.create(body);
    return Object.assign(toDto(record), { key });
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a key, without its secret' })
  @ApiResponse({ status: 200, type: KeyDto, description: 'The key.' })
  @ApiProblems('not-found')
  async get(@NoParameters() _none: unknown, @Param('id') id: string): Promise<KeyDto> {
    return toDto(await this.keys.get(id));
  }

  @Patch(':id')
  @ApiOperation({ summary: "Change a key's name, roles, claims or end" })
  @ApiResponse({ status: 200, type: KeyDto, description: 'The key as it is now.' })
  @ApiProblems('invalid-request', 'not-found', 'body-too-large', 'unsupported-media-type')
  async update(
    @NoParameters() _none: unknown,
    @Param('id') id: string,
    @Body() body: UpdateKeyDto,
  ): Promise<KeyDto> {
    return toDto(await this.keys.update(id, body));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key' })
  @ApiResponse({ status: 204, description: 'The key is refused from now on, everywhere within a second.' })
  @ApiProblems('not-found')
  revoke(@NoParameters() _none: unknown, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(id);
  }
}

const toDto = (record: ApiKey): KeyDto => ({
  id: record.id,
  name: record.name,
  prefix: record.prefix,
  roles: record.roles,
  claims: record.claims,
  expiresAt: record.expiresAt,
  lastUsedAt: record.lastUsedAt,
  createdAt: record.createdAt,
});
