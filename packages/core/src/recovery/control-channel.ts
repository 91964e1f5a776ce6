/** The channel on which clients with recovery talk about what they have published and what they miss. */
export const controlChannel = '$ps.recovery'
