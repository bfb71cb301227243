/** Every sentence is a reason not to publish; none: the package is sound. */
export declare function checkPackage(root: string): string[];
