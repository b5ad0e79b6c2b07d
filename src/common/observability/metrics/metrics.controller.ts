import { Controller, Get, Header, Inject, Optional, type Type } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { PlinthConfig } from '../../config/index.js';
import { Access } from '../../http/access.decorator.js';
import { AlwaysAnswered } from '../../http/always-answered.decorator.js';
import { ApiProblems } from '../../http/api-problem.decorator.js';
import { NoParameters } from '../../http/no-parameters.decorator.js';
import { PrimaryLink } from '../../workers/index.js';
import { MetricRegistry } from './metric-registry.js';
import { METRICS_TYPE, renderMetrics } from './render-metrics.js';

const DESCRIPTION =
  'Numbers about the running server in the text format of Prometheus. `PLINTH_METRICS` says who may read them, and ' +
  'the bearer token of `PLINTH_METRICS_TOKEN` opens this address alone.';

/** The controller of `/metrics`; who may call it is a setting, and where that is nobody, there is none. */
export function createMetricsController({
  metrics,
  metricsToken,
}: Pick<PlinthConfig, 'metrics' | 'metricsToken'>): Type | null {
  if (metrics === 'off') return null;

  @ApiTags('metrics')
  @ApiProblems('unknown-parameter')
  @Access(metrics === 'public' ? 'public' : 'admin', { token: metricsToken })
  @Controller('metrics')
  class MetricsController {
    constructor(
      private readonly registry: MetricRegistry,
      @Optional() @Inject(PrimaryLink) private readonly primary: PrimaryLink | null = null,
    ) {
      primary?.measureWith(() => registry.read());
    }

    @AlwaysAnswered()
    @Get()
    @ApiOperation({ summary: 'Metrics for Prometheus', description: DESCRIPTION })
    @ApiResponse({
      status: 200,
      description: 'The metrics.',
      content: { 'text/plain': { schema: { type: 'string' } } },
    })
    @Header('content-type', METRICS_TYPE)
    @Header('cache-control', 'no-store')
    async read(@NoParameters() _none: unknown): Promise<string> {
      return renderMetrics(await (this.primary?.gatherMetrics() ?? this.registry.read()));
    }
  }

  return MetricsController;
}
