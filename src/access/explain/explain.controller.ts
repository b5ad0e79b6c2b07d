import { Body, Controller, HttpCode, Post, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, NoParameters } from '../../common/http/index.js';
import { ExplainDto, ExplanationDto } from './explain.dto.js';
import { ExplainService } from './explain.service.js';

/** Why somebody may or may not do something. */
@ApiTags('access')
@ApiProblems('unknown-parameter', 'unauthenticated', 'forbidden', 'database-unavailable', 'internal-error')
@Access('admin')
@Controller({ path: 'system/access', version: VERSION_NEUTRAL })
export class ExplainController {
  constructor(private readonly explanations: ExplainService) {}

  @Post('explain')
  @HttpCode(200)
  @ApiOperation({ summary: 'Explain what an actor may do' })
  @ApiResponse({ status: 200, type: ExplanationDto, description: 'Every rule with its truth on the record.' })
  @ApiProblems('invalid-request', 'not-found', 'body-too-large', 'unsupported-media-type', 'value-rejected')
  explain(@NoParameters() _none: unknown, @Body() body: ExplainDto): Promise<ExplanationDto> {
    return this.explanations.explain(body);
  }
}
