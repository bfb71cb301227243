type Client = { clientId: string; clientSecret: string };

/** Zoho's clients have one id for all data centres, and may have a secret of its own in each. */
export const platformClient =
  (clientId: string | null, clientSecrets: Record<string, string>) =>
  (accountsServer: string): Client | null => {
    const centre =
      Object.keys(clientSecrets).find(
        (each) => each !== '' && accountsServer.endsWith(`.${each}`),
      ) ?? '';
    const clientSecret = clientSecrets[centre] ?? clientSecrets[''];
    return clientId && clientSecret ? { clientId, clientSecret } : null;
  };
