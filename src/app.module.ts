import { Module, type DynamicModule } from '@nestjs/common';
import { PlinthModule, type PlinthOptions } from './plinth.module.js';

/** The standalone server: what any host application does, and nothing else. */
@Module({})
export class AppModule {
  static forRoot(options: PlinthOptions = {}): DynamicModule {
    return { module: AppModule, imports: [PlinthModule.forRoot(options)] };
  }
}
