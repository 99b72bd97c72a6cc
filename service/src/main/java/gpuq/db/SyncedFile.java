package gpuq.db;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/**
 * H2's files with synchronous writes: {@code jdbc:h2:dsync:PATH}. H2 itself hands a commit to the operating system and never syncs it, so
 * a killed process loses nothing but a power cut does. With {@code O_DSYNC} a write is on the disk when it returns; commits that
 * come together still share one.
 */
public final class SyncedFile extends FilePathWrapper {

    static void register() {
        FilePath.register(new SyncedFile());
    }

    @Override
    public String getScheme() {
        return "dsync";
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        return getBase().open(mode.equals("rw") ? "rwd" : mode);
    }
}
