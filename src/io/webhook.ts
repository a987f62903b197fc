/** Tells another program of something, with POST and JSON; what cannot be told is counted and let go. */
const timeoutMs = 5_000;
/** So many may be on their way; one that hangs must not let them pile up. */
const underWayMax = 16;

export interface Webhook {
  /** Resolves with the reason when it was not taken. */
  tell(message: object): Promise<string | undefined>;
}

export function openWebhook(url: string): Webhook {
  let underWay = 0;
  return {
    tell: async (message) => {
      if (underWay >= underWayMax) return `${underWayMax} messages are on their way already`;
      underWay += 1;
      try {
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(message),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        });
        await answer.body?.cancel();
        return answer.ok ? undefined : `it answered with status ${answer.status}`;
      } catch (error) {
        return (error as Error).message;
      } finally {
        underWay -= 1;
      }
    },
  };
}
