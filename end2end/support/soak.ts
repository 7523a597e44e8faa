// What is slow and rarely fails runs in `make soak` alone: the same in the other style, or in the other themes.

export const IS_SOAK = Boolean(process.env.SKUFLOW_SOAK);
export const ONLY_SOAK = "make soak runs it";
