import { Module, type DynamicModule } from '@nestjs/common';
import { PlinthModule, type PlinthOptions } from '../../../src/index.js';
import { ShopController } from './shop.controller.js';

@Module({})
export class ShopModule {
  static forRoot(options: PlinthOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [PlinthModule.forRoot(options)],
      controllers: [ShopController],
    };
  }
}
