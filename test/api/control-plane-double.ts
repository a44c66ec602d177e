// A control plane that is stored nowhere: the routes' words are what is tested.

import type { ControlPlaneServices } from '../../api/control-plane-services.ts';
import { HoldfastError } from '../../domain/errors.ts';

export function controlPlaneDouble(): ControlPlaneServices {
  const unknown = async (): Promise<never> => {
    throw new HoldfastError({
      code: 'notFound',
      message: 'there is no such repository',
      hint: 'name another',
    });
  };
  return {
    listControlPlane: async () => [],
    startControlPlaneBackup: unknown,
    acceptRollback: unknown,
  };
}
