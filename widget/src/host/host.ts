export type DocumentRef = { module: 'invoices' | 'creditnotes'; id: string; number: string };

/**
 * As the page around us names it; the number is only shown until the server has read the document.
 */
export type ChosenInvoice = { id: string; number: string };

/**
 * What we ask of the page that embeds us. What it answers is shown, never believed: it is not
 * signed by anyone.
 */
export type Host = {
  organizationId(): Promise<string>;
  /** The document open right now; null where the page shows none. */
  openDocument(): Promise<DocumentRef | null>;
  /** The invoices chosen in the page's list; null where it does not say. */
  chosenInvoices(): Promise<ChosenInvoice[] | null>;
  /** How large the window of a button should be. */
  resize(width: number, height: number): void;
  /** Called when another document may have been opened. */
  onChange(run: () => void): void;
  notify(kind: 'success' | 'error', text: string): void;
  /** Asks the page to read its document again, after something about it has changed. */
  refresh(module: DocumentRef['module']): void;
};
