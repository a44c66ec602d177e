import type { ControlActivities } from './contract.ts';
import type { Deployment } from './deployment.ts';

type LeaseSteps = Pick<
  ControlActivities,
  'askForLease' | 'recordLease' | 'leaseHolderRuns' | 'leaseWithdrawn' | 'jobWaits'
>;

/** What holders and the queue of a repository need besides each other: Temporal's client and the catalogue. */
export function createLeaseSteps({ catalog, leases, clock }: Deployment): LeaseSteps {
  return {
    askForLease: (request) => leases.ask(request),
    recordLease: (request) => catalog.leases.grant(request),
    leaseHolderRuns: (holder) => leases.holderRuns(holder),
    leaseWithdrawn: (grant) => catalog.leases.withdrawn(grant),
    jobWaits: async ({ jobId, repository, behind, waits }) => {
      const others = behind.length > 0 ? `, which ${behind.join(', ')} has` : '';
      const message = waits ? `waiting for ${repository}${others}` : `${repository} is free: going on`;
      await catalog.jobs.setStatus(jobId, waits ? 'waiting' : 'running', message);
      const event = {
        at: clock().toISOString(),
        level: 'info' as const,
        asset: null,
        step: 'lease',
        message,
      };
      await catalog.jobEvents.append(jobId, [event]);
    },
  };
}
