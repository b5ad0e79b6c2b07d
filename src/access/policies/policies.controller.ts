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
import { CreatePolicyDto, PolicyDto, PolicyPageDto, PolicyQuery, UpdatePolicyDto } from './policy.dto.js';
import { PoliciesService } from './policies.service.js';

/** Policies: what a role may do with the records of a collection. */
@ApiTags('policies')
@ApiProblems('unknown-parameter', 'unauthenticated', 'forbidden', 'database-unavailable', 'internal-error')
@Access('admin')
@Controller({ path: 'system/policies', version: VERSION_NEUTRAL })
export class PoliciesController {
  constructor(private readonly policies: PoliciesService) {}

  @Get()
  @ApiOperation({ summary: 'List policies' })
  @ApiResponse({
    status: 200,
    type: PolicyPageDto,
    description: 'A page of policies in the order of their creation.',
  })
  @ApiProblems('invalid-parameter', 'invalid-cursor')
  list(@Query() query: PolicyQuery): Promise<PolicyPageDto> {
    return this.policies.list(query);
  }

  @Post()
  @ApiOperation({ summary: 'Create a policy' })
  @ApiResponse({ status: 201, type: PolicyDto, description: 'The new policy, in force at once.' })
  @ApiProblems('invalid-request', 'body-too-large', 'unsupported-media-type')
  create(@NoParameters() _none: unknown, @Body() body: CreatePolicyDto): Promise<PolicyDto> {
    return this.policies.create(body);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a policy' })
  @ApiResponse({ status: 200, type: PolicyDto, description: 'The policy.' })
  @ApiProblems('not-found')
  get(@NoParameters() _none: unknown, @Param('id') id: string): Promise<PolicyDto> {
    return this.policies.get(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a policy' })
  @ApiResponse({ status: 200, type: PolicyDto, description: 'The policy as it is now, in force at once.' })
  @ApiProblems('invalid-request', 'not-found', 'body-too-large', 'unsupported-media-type')
  update(
    @NoParameters() _none: unknown,
    @Param('id') id: string,
    @Body() body: UpdatePolicyDto,
  ): Promise<PolicyDto> {
    return this.policies.update(id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a policy' })
  @ApiResponse({ status: 204, description: 'The policy is gone.' })
  @ApiProblems('not-found')
  delete(@NoParameters() _none: unknown, @Param('id') id: string): Promise<void> {
    return this.policies.delete(id);
  }
}
