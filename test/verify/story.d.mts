export declare const story: string[];
