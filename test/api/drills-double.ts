// Drills of nobody: the routes' words are what is tested.

import type { DrillServices } from '../../api/drill-services.ts';
import { HoldfastError } from '../../domain/errors.ts';

export function drillsDouble(): DrillServices {
  const unknown = async (): Promise<never> => {
    throw new HoldfastError({ code: 'notFound', message: 'there is no such drill', hint: 'name another' });
  };
  return {
    startDrill: unknown,
    approveDrill: unknown,
    getDrill: unknown,
    listDrills: async () => ({ items: [], next: null }),
  };
}
