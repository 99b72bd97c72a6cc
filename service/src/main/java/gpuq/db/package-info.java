/** The database: connection, migrations, transactions. Stores of other packages use it; nobody else does. */
@NullMarked
package gpuq.db;

import org.jspecify.annotations.NullMarked;
