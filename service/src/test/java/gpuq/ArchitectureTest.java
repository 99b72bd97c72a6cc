package gpuq;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The shape of the house. Rules are test methods: rule fields are silently skipped by some runners. */
class ArchitectureTest {
    private static final JavaClasses HOUSE =
            new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("gpuq");

    /** The composition root and what hangs on nothing. */
    private static final DescribedPredicate<JavaClass> ROOT = resideInAPackage("gpuq");

    @Test
    void only_launch_knows_freemarker() {
        onlyKnownTo("freemarker..", "gpuq.launch").check(HOUSE);
    }

    @Test
    void only_node_knows_how_a_node_is_reached() {
        onlyKnownTo("org.apache.commons.exec..", "gpuq.node").check(HOUSE);
        onlyKnownTo("net.schmizz..", "gpuq.node").check(HOUSE);
    }

    @Test
    void only_api_and_the_composition_root_know_the_web_server() {
        onlyKnownTo("io.helidon.webserver..", "gpuq.api", "gpuq").check(HOUSE);
    }

    @Test
    void only_db_knows_the_database_client() {
        onlyKnownTo("io.helidon.dbclient..", "gpuq.db").check(HOUSE);
        onlyKnownTo("java.sql..", "gpuq.db").check(HOUSE);
    }

    @Test
    void placement_knows_jobs_and_plain_java_only() {
        classes().that().resideInAPackage("gpuq.placement")
                .should().onlyDependOnClassesThat(resideInAnyPackage("gpuq.placement", "gpuq.job", "java..", "org.jspecify.."))
                .check(HOUSE);
    }

    @Test
    void the_packages_form_no_cycle() {
        slices().matching("gpuq.(*)..").should().beFreeOfCycles().check(HOUSE);
    }

    @Test
    void nothing_leads_back_to_the_composition_root() {
        noClasses().that().resideOutsideOfPackage("gpuq").should().dependOnClassesThat(ROOT).check(HOUSE);
    }

    @Test
    void words_that_say_nothing_are_in_no_name() {
        for (String word : List.of("Manager", "Helper", "Util", "Impl", "Base", "Common")) {
            noClasses().should().haveSimpleNameEndingWith(word).check(HOUSE);
        }
    }

    @Test
    void a_violated_rule_fails() {
        ArchRule wrong = onlyKnownTo("java.util..", "gpuq.launch");
        assertThrows(AssertionError.class, () -> wrong.check(HOUSE));
    }

    private static ArchRule onlyKnownTo(String library, String... packages) {
        return noClasses().that().resideOutsideOfPackages(packages).should().dependOnClassesThat().resideInAPackage(library);
    }
}
