// What is wrong where the control plane stores itself: it is behind there, or the repository lost what it had.

import type { Condition } from './condition.ts';
import type { ControlPlaneFact } from './facts.ts';

export function controlPlane({ repository, behind, rolledBack, policies }: ControlPlaneFact): Condition[] {
  const common = { topic: 'failure' as const, asset: null };
  const found: Condition[] = [];
  if (behind !== null) {
    const store = `\`holdfast control-plane backup --repository ${repository}\``;
    const hint = behind.failure?.hint;
    found.push({
      ...common,
      key: `control-plane/${repository}`,
      severity: 'critical',
      // It holds everybody's catalogue and evidence.
      policies: [],
      title: `the control plane is not stored in ${repository} as it should be`,
      reason: behind.reason,
      next: hint ? `${hint}; then ${store}` : store,
    });
  }
  if (rolledBack !== null) {
    found.push({
      ...common,
      key: `repository/${repository}/rolledBack`,
      severity: 'page',
      policies,
      title: `repository ${repository} was rolled back to an older state`,
      reason: rolledBack,
      next: `find out who put it back, and bring the newer state if there is one; nothing is dropped there until \`holdfast control-plane accept ${repository} --reason …\` says that this is how it is`,
    });
  }
  return found;
}
